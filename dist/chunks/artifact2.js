import"./rolldown-runtime.js";import{t as e}from"./commander.js";import{t}from"./results.js";import{n}from"./lazily.js";import{i as r,r as i}from"./transfer-options.js";function a(){let t=new e(`artifact`).description(`files from one task of a pipeline to the next, through the registry, by digest`);for(let e of[o,c])t.addCommand(i(e()));return t}function o(){return r(new e(`create`)).description(`pack files and folders, push them, and write what they are called to files`).argument(`<registry>`,`name of the Registry resource`).argument(`<image>`,`[repository/]name[:tag] to keep them under`).argument(`<file=path...>`,`what the path is called then is written to the file`).addHelpText(`after`,s).action(n(async()=>(await import(`./artifact.js`)).createAction))}const s=`
An artifact is called oci:HOST/REPOSITORY@DIGEST, with the digest of its gzipped tar. Equal files make
an equal digest, and are sent once. Where there is nothing at the path, it is empty.

Examples:
  reposure artifact create default team/app-files:run-7 SOURCE_ARTIFACT=./source
  reposure artifact create default team/app-files:run-7 /tekton/results/SOURCE=/workspace/source
`;function c(){return r(new e(`use`)).description(`fetch artifacts, prove them by their digests, and unpack them to new folders`).argument(`<registry>`,`name of the Registry resource`).argument(`<artifact=folder...>`,`oci:HOST/REPOSITORY@DIGEST=FOLDER; without an artifact, none`).option(`--empty-result <file>`,`make this file, empty: the result of a later step; may be repeated`,l,[]).option(`--fallback <folder>`,`where no artifact is named, let the folder be a link to this one`).addHelpText(`after`,u).action(n(async()=>(await import(`./artifact.js`)).useAction))}function l(e,n){return t(`artifact`,e),[...n,e]}const u=`
Examples:
  reposure artifact use default oci:registry.ci.svc:5000/team/app-files@sha256:…=./source
  reposure artifact use default "$SOURCE_ARTIFACT=/var/workdir/source" --fallback /workspace/source
`;export{a as artifactCommand};
import"./rolldown-runtime.js";import{t as e}from"./commander.js";import{t}from"./results.js";import{i as n,r}from"./transfer-options.js";function i(){let t=new e(`artifact`).description(`files from one task of a pipeline to the next, through the registry, by digest`);for(let e of[a,s])t.addCommand(r(e()));return t}function a(){return n(new e(`create`)).description(`pack files and folders, push them, and write what they are called to files`).argument(`<registry>`,`name of the Registry resource`).argument(`<image>`,`[repository/]name[:tag] to keep them under`).argument(`<file=path...>`,`what the path is called then is written to the file`).addHelpText(`after`,o).action(async function(){let{createAction:e}=await import(`./artifact.js`);await e(this)})}const o=`
An artifact is called oci:HOST/REPOSITORY@DIGEST, with the digest of its gzipped tar. Equal files make
an equal digest, and are sent once. Where there is nothing at the path, it is empty.

Examples:
  reposure artifact create default team/app-files:run-7 SOURCE_ARTIFACT=./source
  reposure artifact create default team/app-files:run-7 /tekton/results/SOURCE=/workspace/source
`;function s(){return n(new e(`use`)).description(`fetch artifacts, prove them by their digests, and unpack them to new folders`).argument(`<registry>`,`name of the Registry resource`).argument(`<artifact=folder...>`,`oci:HOST/REPOSITORY@DIGEST=FOLDER; without an artifact, none`).option(`--empty-result <file>`,`make this file, empty: the result of a later step; may be repeated`,c,[]).option(`--fallback <folder>`,`where no artifact is named, let the folder be a link to this one`).addHelpText(`after`,l).action(async function(){let{useAction:e}=await import(`./artifact.js`);await e(this)})}function c(e,n){return t(e),[...n,e]}const l=`
Examples:
  reposure artifact use default oci:registry.ci.svc:5000/team/app-files@sha256:…=./source
  reposure artifact use default "$SOURCE_ARTIFACT=/var/workdir/source" --fallback /workspace/source
`;export{i as artifactCommand};
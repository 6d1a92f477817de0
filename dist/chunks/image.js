import"./rolldown-runtime.js";import{n as e,t}from"./commander.js";import{n,r}from"./results.js";import{n as i,t as a}from"./lazily.js";import{i as o,n as s,r as c,t as l}from"./transfer-options.js";function u(){return new e(`--overwrite <when>`,`whether to move a tag that names another image`).choices([`always`,`never`]).default(`always`)}function d(){return o(new t(`copy`)).description(`copy an image, with its signatures, inside a registry or to another one`).argument(`<registry>`,`name of the Registry resource`).argument(`<source>`,`[repository/]name[:tag][@digest] in it, or docker://HOST/NAME…`).argument(`<target>`,`[repository/]name[:tag] in it, or docker://HOST/NAME[:tag]`).argument(`[tags...]`,`more tags for the same image`).option(`--to-registry <name>`,`the target is in this Registry; <registry> has the source`).option(`--to-namespace <namespace>`,`that Registry's namespace`).option(`--to-kubeconfig <file>`,`that of its cluster, if it is another one`).option(`--to-context <name>`,`the context for it`).addOption(f()).option(`-t, --tag <tag>`,`one more tag for the same image; may be repeated`,s).option(`--platform <platform>`,`only this one of an index; may be repeated`,s).option(`--expect-digest <digest>`,`write nothing unless the source is this`).option(`--no-referrers`,`leave signatures and whatever else refers to the image behind`).option(`--src-insecure`,`plain HTTP to the source docker://…, login included`).option(`--src-ca <file>`,`trust these certificates (PEM), too, of the source docker://…`).option(`--to-insecure`,`plain HTTP to the target docker://…, login included`).option(`--to-ca <file>`,`trust these certificates (PEM), too, of the target docker://…`).option(`--no-state`,`remember nothing of this copy, and use nothing of earlier ones`).addOption(u()).addOption(r(n)).option(`--dry-run`,`say what would travel, and write nothing`).addHelpText(`after`,p).action(i(async()=>(await import(`./copy.js`)).copyAction))}function f(){return new e(`--to-route <route>`,`the way in to the Registry of --to-…, as --route`).choices([`auto`,`direct`,`proxy`,`exec`]).default(`auto`)}const p=`
Digests stay as they are, and the tags come last. What refers to the image and its platforms is
copied, too: by the referrers API or its fallback tag, and by cosign's tags .sig, .att and .sbom. If
any of it cannot be copied, the copy fails before the tag is written; --overwrite=never keeps
cosign's tags as well. Inside one registry blobs are mounted; otherwise they pass through this
machine, verified, and are not stored.

For docker://… the logins are those of REGISTRY_AUTH_FILE, or of podman login and docker login.

Examples:
  reposure image copy default team/app:1.2.3 team/app:prod
  reposure image copy default team/app:1.2.3 team/app:prod --expect-digest sha256:…
  reposure image copy default team/app:1.2.3 team/app:1.2.3 --to-registry prod --to-context prod
  reposure image copy default docker://ghcr.io/team/app:1.2.3 team/app:1.2.3 --platform linux/amd64
  reposure image copy default team/app@sha256:… docker://docker.io/team/app:1.2.3
`;function m(){let e=new t(`image`).description(`push, pull, copy, list and delete images`);for(let t of[h,v,d,y,b])e.addCommand(c(t()));return e}function h(){return o(new t(`push`)).description(`push an image, a file or a folder`).argument(`<registry>`,`name of the Registry resource`).argument(`<image>`,`[repository/]name[:tag]; repository "library" and tag "latest" by default`).argument(`<source>`,`what to push; "-" reads an archive from standard input`).argument(`[tags...]`,`more tags for the same image`).addOption(r(n)).option(`-t, --tag <tag>`,`one more tag for the same image; may be repeated`,s).option(`--platform <platform>`,`only this one of an index, e.g. linux/arm64; may be repeated; "all" is the default`,s).option(`--from-name <name>`,`which image of an archive that holds several`).option(`--cache-from <image>`,`an image of the same registry that may have some of the layers; may be repeated`,s).addOption(g()).option(`--compression-level <n>`,`1 to 9 for gzip (6), 1 to 19 for zstd (3)`,l).option(`--annotation <key=value>`,`put on the manifest or index; may be repeated`,s).option(`--artifact-type <type>`,`what the manifest says the artifact is`).option(`--src-insecure`,`plain HTTP to the source docker://…, login included`).option(`--src-ca <file>`,`trust these certificates (PEM), too, of the source docker://…`).option(`--no-state`,`remember nothing of this push, and use nothing of earlier ones`).addOption(u()).option(`--dry-run`,`say where each blob would come from, and send nothing`).addHelpText(`after`,_).action(i(async()=>(await import(`./push3.js`)).pushAction))}function g(){return new e(`--compression <name>`,`how layers travel that lie here unpacked; gzip by default`).choices([`gzip`,`zstd`,`none`])}const _=`
Sources:
  PATH                          told by its content: an OCI layout (folder or tar), an archive of
                                docker save or podman save (also gzip or zstd), or any other file
                                or folder, which becomes an image that a Pod can mount
  oci:DIR[:REF]  oci-archive:FILE[:REF]  docker-archive:FILE[:NAME]  file:PATH  -
  docker-daemon:NAME[:TAG]      of the Docker daemon of this machine
  containers-storage:NAME       of podman and buildah on this machine
  docker://HOST/NAME[:TAG]      of a registry that is reached from here

Layers of archives and daemons are neither packed nor sent if the registry has the same content:
this machine remembers what it has sent, and looks at the image that the tag names so far and at
those of --cache-from. What another repository of the registry has is mounted from there.

Examples:
  reposure image push default team/app:1.2.3 app.tar
  podman save app | reposure image push default team/app -
  reposure image push default team/app:1.2.3 oci:build --tag 1.2 --tag latest
  reposure image push default team/app:1.2.4 docker-daemon:app --cache-from team/app:1.2.3
  reposure image push default team/site:7 ./public -o json
  reposure image push default team/app:1.2.3 oci:build 1.2 latest --result digest=/tekton/results/IMAGE_DIGEST
`;function v(){return o(new t(`pull`)).description(`pull an image to a layout, an archive, a folder or standard output`).argument(`<registry>`,`name of the Registry resource`).argument(`<image>`,`[repository/]name[:tag][@digest]`).option(`--to <target>`,`oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME, containers-storage:NAME or "-"; with --unpack, a folder`).option(`-u, --unpack`,`unpack: a single file to standard output, anything to the folder of --to`).option(`--platform <platform>`,`only this one of an index, e.g. linux/arm64`).addOption(r(n)).addHelpText(`after`,`
Without --to, a docker archive goes to standard output. A docker archive holds one platform: of an
index, this machine's unless --platform names another; a layout or an OCI archive holds them all.

Examples:
  reposure image pull default team/app:1.2.3 --to oci:app
  reposure image pull default team/app:1.2.3 --to docker-archive:app.tar --platform linux/amd64
  reposure image pull default team/app:1.2.3 --to docker-daemon:app:1.2.3
  reposure image pull default team/app:1.2.3 | podman load
  reposure image pull default team/hello --unpack
  reposure image pull default team/site:7 --unpack --to ./public
`).action(a(async()=>(await import(`./pull2.js`)).pullAction))}function y(){return new t(`list`).alias(`ls`).description(`list images by tag`).argument(`<registry>`,`name of the Registry resource`).argument(`[repository]`,`only this one`).addHelpText(`after`,`
Examples:
  reposure image list default
  reposure image list default team/app -o json
`).action(a(async()=>(await import(`./list2.js`)).listAction))}function b(){return new t(`delete`).alias(`rm`).description(`remove a tag, and only it; with a digest, a manifest`).argument(`<registry>`,`name of the Registry resource`).argument(`[image]`,`[repository/]name[:tag] or [repository/]name@digest`).option(`--digest`,`remove the manifest that the tag names, with all of its tags`).option(`-a, --all`,`remove every tag of the registry`).addHelpText(`after`,`
Examples:
  reposure image delete default team/app:1.2.3
  reposure image delete default team/app@sha256:…
  reposure image delete default --all
`).action(a(async()=>(await import(`./delete.js`)).deleteAction))}export{m as imageCommand};
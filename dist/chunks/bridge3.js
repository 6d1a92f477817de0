import"./rolldown-runtime.js";import{a as e,n as t,t as n}from"./commander.js";import{n as r}from"./lazily.js";import{r as i}from"./transfer-options.js";function a(){let e=new n(`bridge`).description(`make a registry an address of this machine, for docker, buildah, crane and others`).usage(`REGISTRY [options]`).addHelpText(`after`,l);return e.addCommand(o(),{isDefault:!0}),e.addCommand(s()),e.command(`status`).description(`list the bridges of this user that run on this machine`).addHelpText(`after`,`
Examples:
  reposure bridge status -o json
`).action(r(async()=>(await import(`./status.js`)).bridgeStatusAction)),e.command(`stop`).description(`end a bridge, and wait until it is gone, its files with it`).argument(`[registry]`,`its Registry; not needed if there is one bridge only`).option(`--config-dir <dir>`,`the one that has its files there`).option(`--all`,`all of them`).addHelpText(`after`,`
Examples:
  reposure bridge stop default
  reposure bridge stop --all
`).action(r(async()=>(await import(`./stop.js`)).bridgeStopAction)),e}function o(){return c(new n(`run`)).description("run a bridge; `reposure bridge REGISTRY` does the same").argument(`<registry>`,`name of the Registry resource`).option(`--background`,`return when the bridge answers; it goes on in a process of its own`).addOption(new t(`--log-file <file>`).hideHelp()).addHelpText(`after`,l).action(r(async()=>(await import(`./run.js`)).bridgeAction))}function s(){return c(new n(`exec`)).description(`run a command with a bridge, and end with its exit status`).usage(`REGISTRY [options] -- COMMAND…`).argument(`<registry>`,`name of the Registry resource`).argument(`[command...]`,`what to run, with REGISTRY set to the address of the bridge`).addHelpText(`after`,u).action(r(async()=>(await import(`./exec.js`)).bridgeExecAction))}function c(e){return i(e).option(`--port <n>`,`port to listen on; 0 lets the system choose`,d,0).option(`--config-dir <dir>`,`where the tools' logins and settings go; a temporary one by default`).option(`--no-token`,`let every user of this machine in, without a login`)}const l=`
Tools see a plain registry on localhost. docker, podman, buildah, crane, oras, ko and others need no
flag with the variables that are printed; skopeo and helm want theirs for plain HTTP. What they push
goes on after the way to the cluster broke. For every push the bridge says what nodes pull.

Examples:
  reposure bridge default --port 5001
  reposure bridge default --background --config-dir .bridge -o json
  reposure bridge exec default -- sh -c 'docker push "$REGISTRY/team/app:1.2.3"'
  reposure bridge stop default
`,u=`
Set for the command: REGISTRY, and DOCKER_CONFIG, REGISTRY_AUTH_FILE and CONTAINERS_REGISTRIES_CONF,
which name copies of its own files with the bridge added.

Examples:
  reposure bridge exec default -- sh -c 'docker push "$REGISTRY/team/app:1.2.3"'
  reposure bridge exec default -- make push
`;function d(t){let n=Number(t);if(!/^\d+$/.test(t)||n>65535)throw new e(`Want a port, 0 to 65535.`);return n}export{a as bridgeCommand};
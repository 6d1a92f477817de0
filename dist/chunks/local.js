import"./rolldown-runtime.js";import{a as e,t}from"./commander.js";function n(){let e=new t(`local`).description(`the embedded cluster and registry: for trying and for tests`);return e.command(`up`).description(`run a small Kubernetes API whose Pods are local processes, until interrupted`).usage(`--kubeconfig <file>`).addHelpText(`after`,`
The kubeconfig is written to <file> (0600) as the last step, and removed at the end.

Examples:
  reposure local up --kubeconfig /tmp/kubeconfig
`).action(async(e,t)=>{let{localUpAction:n}=await import(`./actions.js`);await n(t)}),e.command(`registry`).description(`run an OCI registry on a folder, until interrupted`).requiredOption(`--directory <dir>`,`where the blobs lie; made if it is not there`).option(`--port <n>`,`port to listen on; 0 lets the system choose`,r,5e3).option(`--address <ip>`,`address to listen on`,`127.0.0.1`).addHelpText(`after`,`
Examples:
  reposure local registry --directory /tmp/blobs --port 5000
`).action(async e=>{let{localRegistryAction:t}=await import(`./actions.js`);await t(e)}),e}function r(t){let n=Number(t);if(!/^\d+$/.test(t)||n>65535)throw new e(`Want a port, 0 to 65535.`);return n}export{n as localCommand};
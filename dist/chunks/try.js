import"./rolldown-runtime.js";import{t as e}from"./commander.js";function t(){return new e(`try`).description(`do the whole job on this machine, without a cluster, and show what happens`).option(`--keep`,`leave the embedded cluster running, with a kubeconfig, until interrupted`).addHelpText(`after`,`
A small Kubernetes API starts in this process; its Pods are local processes. Everything else is as
on a real cluster: the operator, a registry, its surrogate, and the exec stream through the API.

Examples:
  reposure try
  reposure try --keep
`).action(async(e,t)=>{let{tryAction:n}=await import(`./try2.js`);await n(t)})}export{t as tryCommand};
import"./rolldown-runtime.js";import{t as e}from"./version.js";import{t}from"./commander.js";import{n,t as r}from"./output.js";function i(){return new t(`version`).description(`print the version of this program`).addHelpText(`after`,`
Examples:
  reposure version -o json
`).action(async(t,i)=>{let{output:a}=i.optsWithGlobals();await n(r(a),{value:{version:e,node:process.version,platform:`${process.platform}/${process.arch}`},names:[e],text:`reposure ${e} (Node ${process.version}, ${process.platform}/${process.arch})`})})}export{i as versionCommand};
import"./rolldown-runtime.js";import{t as e}from"./commander.js";import{i as t,t as n}from"./results.js";import{n as r}from"./transfer-options.js";function i(){return new e(`result`).description(`results of a step of a pipeline, made of its params`).addCommand(a())}function a(){return new e(`array`).description(`write words to a file as an array: a step's result for the next step's args`).argument(`<file>`,`the file`,o).argument(`[word...]`,`the words; empty ones are left out`).option(`--prefix <text>`,`put before each word`,``).option(`--first <word>`,`a word of its own before all of them, without the prefix; may be repeated`,r).addHelpText(`after`,s).action((e,n,{first:r=[],prefix:i})=>{let a=n.filter(e=>e!==``).map(e=>i+e);t(e,[...r,...a])})}function o(e){return n(`array`,e),e}const s=`
Tekton puts an array into args as it is, word by word; for a program that wants an option before each
word, one step writes them with the option, and the next has $(steps.NAME.results.RESULT[*]). Of an
array without words Tekton makes an empty word: --first has a word that is always there.

Examples:
  reposure result array /tekton/steps/step-a/results/OPTIONS --first=--format=oci --prefix=--build-arg= -- A=1 B=2
`;export{i as resultCommand};
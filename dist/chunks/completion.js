import"./rolldown-runtime.js";import{t as e}from"./commander.js";import{n as t}from"./standard-output.js";const n=[`bash`,`zsh`,`fish`];function r(){let r=new e(`completion`).description(`print a completion script for bash, zsh or fish`);for(let e of n)r.command(e).description(`for ${e}: ${s[e]}`).addHelpText(`after`,`\nExamples:\n  ${s[e]}\n`).action(()=>t(c[e]));return r.command(`words`,{hidden:!0}).argument(`[words...]`).allowUnknownOption().action(async(e,n,r)=>{let a=i(o(r),e);await t(a.map(e=>`${e}\n`).join(``))}),r}function i(e,t){let n=t.at(-1)??``,r=t.slice(0,-1).filter(e=>!e.startsWith(`-`)).reduce((e,t)=>e.commands.find(e=>a(e,t))??e,e),i=n.startsWith(`-`)?[...r.options,...e.options].map(({long:e})=>e??``):r.createHelp().visibleCommands(r).map(e=>e.name());return[...new Set(i)].filter(e=>e!==``&&e.startsWith(n))}function a(e,t){return e.name()===t||e.aliases().includes(t)}function o(e){return e.parent?o(e.parent):e}const s={bash:`source <(reposure completion bash)`,zsh:`source <(reposure completion zsh)`,fish:`reposure completion fish | source`},c={bash:`_reposure() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  mapfile -t COMPREPLY < <(reposure completion words -- "\${words[@]}" 2>/dev/null)
  [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _reposure reposure
`,zsh:`#compdef reposure
_reposure() {
  local -a found
  found=(\${(f)"$(reposure completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _reposure reposure
`,fish:`complete -c reposure -f -a '(set -l words (commandline -opc) (commandline -ct); reposure completion words -- $words[2..-1] 2>/dev/null; or __fish_complete_path (commandline -ct))'
`};export{r as completionCommand};
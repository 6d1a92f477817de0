import"./rolldown-runtime.js";import{n as e,t}from"./commander.js";import{r as n}from"./results.js";import{n as r}from"./lazily.js";import{n as i}from"./transfer-options.js";function a(){return s(o(new t(`deploy`))).description(`apply manifests with images pinned by digest, and wait until they run`).argument(`[name=ref...]`,`images, as --image has them`).requiredOption(`-f, --filename <path>`,`a file, a folder with all below it, or "-" for standard input; may be repeated`,i).addHelpText(`after`,l).action(r(async()=>(await import(`./deploy2.js`)).deployAction))}function o(e){return e.option(`-i, --image <name=ref>`,"put HOST/REPOSITORY@DIGEST, or @FILE with the result of `image push -o json`, wherever the manifests have the image NAME; may be repeated",i).option(`--image-path <kind=path>`,`where a custom kind names images, e.g. Rollout.argoproj.io=spec.template.spec.containers[*].image; may be repeated`,i)}function s(e){return e.option(`--set <name>`,`what is deployed belongs to this set, which a ConfigMap remembers`).addOption(c(`--prune`,`delete what is in the set, and no longer in the manifests`)).option(`--create-namespace`,`make namespaces that do not exist`).option(`--force-conflicts`,`take over fields that other field managers own`).option(`--dry-run [where]`,`ask the cluster what would change, and change nothing (server)`).option(`--no-wait`,`return when everything is applied`).addOption(c(`--rollback`,`if it does not run, take back what was applied`)).option(`--timeout <duration>`,`for everything, the rollback included`,`5m`).option(`--fail-after <duration>`,`how long a Pod may fail to pull or to start before it counts as failed`,`20s`).addOption(n([`changes`,`references`]))}function c(t,n){return new e(`${t} [true|false]`,n).choices([`true`,`false`]).preset(`true`)}const l=`
Objects are applied server-side, in an order that works: namespaces and definitions first, what
others need before them, custom kinds last. Before that, the cluster is asked what it would make of
each: if one is refused, or another manager owns what would change, nothing is applied.

NAME is an image as the manifests have it, without tag and digest ("app", "team/app"); with them,
where several of one name are there. A NAME that matches nothing is an error.

What does not run is explained in one paragraph, and the exit status is 1.

Results are the number of changes, and the references that were put in, one a line.

Examples:
  reposure image push default team/app:1.2.3 app.tar -o json > pushed.json
  reposure deploy -f k8s/ --image app=@pushed.json --rollback
  reposure deploy -f app.yaml --image app=registry.example.com/team/app@sha256:… --dry-run
  kubectl kustomize overlays/prod | reposure deploy -n shop -f - --set shop --prune
  reposure deploy -f rollout.yaml --image app=@pushed.json \\
    --image-path 'Rollout.argoproj.io=spec.template.spec.containers[*].image'
`;export{a as deployCommand};
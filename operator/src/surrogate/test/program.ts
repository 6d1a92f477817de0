// `reposure-surrogate`, as the image starts it.
import { surrogateMain } from '../main.ts';

process.exitCode = await surrogateMain(process.argv.slice(2));

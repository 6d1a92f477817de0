import { Option } from 'commander';

/** Whether a tag may be moved that names another image. */
export type Overwrite = 'always' | 'never';

/** The option `--overwrite`, with a value: a pipeline's param can say it. */
export function overwriteOption(): Option {
  return new Option('--overwrite <when>', 'whether to move a tag that names another image')
    .choices(['always', 'never'] satisfies readonly Overwrite[])
    .default('always');
}

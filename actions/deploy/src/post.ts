import { runPost } from '@reposure/action-shared/post';

await runPost();

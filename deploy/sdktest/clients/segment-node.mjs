// npm @segment/analytics-node, as its documentation shows it.
import { Analytics } from '@segment/analytics-node';
import { calls, say, sleep } from './scenario.mjs';

const { HOST, WRITE_KEY, PREFIX, ANONYMOUS_ID, STREAM } = process.env;
const analytics = new Analytics({ writeKey: WRITE_KEY, host: HOST, flushAt: 5, flushInterval: 100 });
analytics.on('error', (error) => say({ error: error.code, reason: String(error.reason) }));

for (const [method, message] of calls(PREFIX, ANONYMOUS_ID, '4200017')) analytics[method](message);
await analytics.flush({ timeout: 30_000 });
say({ at: 'scenario' });
for (let n = 0; n < Number(STREAM); n++) {
  analytics.track({ userId: `${PREFIX}-user`, event: 'Sdk Stream', properties: { n } });
  if (n === 30) say({ at: 'stream' });
  await sleep(20);
}
await analytics.closeAndFlush({ timeout: 120_000 });
say({ at: 'end' });

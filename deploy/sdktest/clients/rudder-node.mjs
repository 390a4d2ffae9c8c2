// npm @rudderstack/rudder-sdk-node, gzip as by default; its retries raised from
// 3, within 1.4 s, to as many as a restart needs.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { calls, say, sleep } from './scenario.mjs';

const { HOST, WRITE_KEY, PREFIX, ANONYMOUS_ID, STREAM } = process.env;
const client = new RudderAnalytics(WRITE_KEY, {
  dataPlaneUrl: HOST, flushAt: 5, flushInterval: 100, logLevel: 'none', retryCount: 200,
  axiosRetryConfig: { retryDelay: () => 250 },
  errorHandler: (error) => say({ error: 'delivery', reason: String(error) }),
});

let waiting = 0;
const send = (method, message) => {
  waiting++;
  client[method](message, () => waiting--);
};
const drained = async () => {
  while (waiting > 0) {
    await client.flush();
    await sleep(50);
  }
};

for (const [method, message] of calls(PREFIX, ANONYMOUS_ID, 4200017)) send(method, message);
await drained();
say({ at: 'scenario' });
for (let n = 0; n < Number(STREAM); n++) {
  send('track', { userId: `${PREFIX}-user`, event: 'Sdk Stream', properties: { n } });
  if (n === 30) say({ at: 'stream' });
  await sleep(20);
}
await drained();
say({ at: 'end' });
process.exit(0);

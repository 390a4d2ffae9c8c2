// npm @segment/analytics-next on a page, bundled as a shop would. Only the
// address of the settings is ours: they say where to send to.
import { AnalyticsBrowser } from '@segment/analytics-next';
import { odd, order, past } from './scenario.mjs';

const { host, writeKey, prefix, stream, batching } = window.suite;
const log = (text) => {
  document.body.appendChild(document.createElement('div')).textContent = text;
};

async function run() {
  const options = batching
    ? { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 5, timeout: 200 } } } } }
    : {};
  const analytics = AnalyticsBrowser.load({ writeKey, cdnURL: host }, options);
  const anonymousId = (await analytics.user()).anonymousId();
  log(`anonymous id ${anonymousId}`);
  await analytics.page('Shop', 'Home', { odd: odd.text });
  await analytics.track('Sdk Anonymous', { before: 'sign-in' });
  await analytics.identify(`${prefix}-user`, { email: `${prefix}@example.com`, name: 'Zoë 🦊 "Q"', plan: null, nested: { a: [1, null] }, age: 42 });
  await analytics.track('Sdk Past', odd, { timestamp: new Date(past) });
  await analytics.track('Order Completed', order(prefix));
  await analytics.track('Sdk Context', {}, { context: { sessionId: 1700000000, externalIds: [{ id: `${prefix}-L1`, type: 'loyalty', collection: 'users', encoding: 'none' }] }, integrations: { All: true, Salesforce: true } });
  await analytics.screen('Basket', { items: 2 });
  await analytics.group(`${prefix}-g`, { name: 'Initech', email: 'office@initech.example' });
  await analytics.alias(`${prefix}-user`, anonymousId);
  log('the scenario is sent');
  window.told({ at: 'scenario', anonymousId });
  for (let n = 0; n < stream; n++) {
    analytics.track('Sdk Stream', { n });
    if (n === 30) window.told({ at: 'stream' });
    if (n % 50 === 0) log(`streamed ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  log(`streamed ${stream}`);
  window.told({ at: 'end' });
}

run().catch((error) => window.told({ error: 'page', reason: String(error.stack) }));

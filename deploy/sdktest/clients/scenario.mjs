// What every server-side client sends, and what the Go test expects of it.

// Numbers, text in several scripts, text that must be escaped, and nothing.
export const odd = { text: 'naïve 世界 \u2028 \\ "quoted" 🦊', price: 12.5, flag: true, none: null, list: [1, '2', { deep: [] }] };

// A day that exists every four years.
export const past = '2024-02-29T12:34:56.789Z';

// order is an order of the e-commerce specification.
export function order(prefix) {
  return {
    order_id: `${prefix}-o1`, revenue: 25.5, tax: 1.5, shipping: 3, currency: 'EUR',
    products: [
      { product_id: 'p1', sku: 's1', name: 'Kettle', category: 'Kitchen', price: 10.25, quantity: 2 },
      { product_id: 'p2', name: 'Cup', price: 5 },
    ],
  };
}

// calls returns [method, message] for the clients of Segment and RudderStack.
// number is a numeric user id, as text where the client takes nothing else.
export function calls(prefix, anonymousId, number) {
  const userId = `${prefix}-user`;
  const email = `${prefix}@example.com`;
  return [
    ['identify', { userId, anonymousId, traits: { email, name: 'Zoë 🦊 "Q"', plan: null, nested: { a: [1, null] }, age: 42 } }],
    ['identify', { userId: number, traits: { numeric: true } }],
    ['track', { userId, event: 'Sdk Past', properties: odd, timestamp: new Date(past) }],
    ['track', { userId, event: 'Order Completed', properties: order(prefix) }],
    ['track', { userId, event: 'Sdk Context', properties: {}, context: { sessionId: 1700000000, externalIds: [{ id: `${prefix}-L1`, type: 'loyalty', collection: 'users', encoding: 'none' }] }, integrations: { All: false, Salesforce: true } }],
    ['page', { userId, name: 'Home', category: 'Shop', properties: { url: 'https://shop.example/' } }],
    ['screen', { userId, name: 'Basket', properties: { items: 2 } }],
    ['group', { userId, groupId: `${prefix}-g`, traits: { name: 'Initech', email: 'office@initech.example' } }],
    ['alias', { userId, previousId: anonymousId }],
  ];
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// say tells the Go test how far the client is, one line a fact.
export const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

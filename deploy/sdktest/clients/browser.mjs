// Runs page.js in headless Chromium, on an origin of its own, and tells what the
// page's console and network say. It stays until standard input ends.
import { createServer } from 'node:http';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';
import { say } from './scenario.mjs';

const { HOST, WRITE_KEY, PREFIX, STREAM, BATCHING, SKEW_MS, CHROMIUM, SCREENSHOT } = process.env;

const bundle = await build({ entryPoints: ['page.js'], bundle: true, write: false, format: 'iife', target: 'es2020', define: { 'process.env.NODE_ENV': '"production"' } });
const script = bundle.outputFiles[0].text;
const suite = JSON.stringify({ host: HOST, writeKey: WRITE_KEY, prefix: PREFIX, stream: Number(STREAM), batching: BATCHING === '1' });
const html = `<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"><body><h1>Shop</h1><script>window.suite = ${suite}</script><script src="/page.js"></script>`;
const server = createServer((request, response) => {
  const js = request.url === '/page.js';
  response.setHeader('Content-Type', js ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
  response.end(js ? script : html);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

// Chromium's sandbox needs rights that containers do not give; the page is ours.
const browser = await puppeteer.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const page = await browser.newPage();
page.on('console', (m) => ['error', 'warn'].includes(m.type()) && say({ console: m.type(), text: m.text(), url: m.location().url }));
page.on('pageerror', (error) => say({ error: 'page', reason: String(error) }));
page.on('requestfailed', (r) => say({ failed: r.failure()?.errorText, url: r.url() }));
page.on('response', (r) => r.status() >= 400 && say({ status: r.status(), url: r.url() }));
await page.exposeFunction('told', say);
if (SKEW_MS) {
  // A visitor whose clock is wrong.
  await page.evaluateOnNewDocument((skew) => {
    const Real = Date;
    window.Date = class extends Real {
      constructor(...args) {
        args.length ? super(...args) : super(Real.now() + skew);
      }
      static now() {
        return Real.now() + skew;
      }
    };
  }, Number(SKEW_MS));
}
await page.goto(`http://127.0.0.1:${server.address().port}/?utm_source=mail&utm_campaign=spring`);

process.stdin.resume();
await new Promise((resolve) => process.stdin.on('end', resolve));
if (SCREENSHOT) await page.screenshot({ path: SCREENSHOT });
await browser.close();
server.close();

// What the page costs who looks: node figures.mjs, with its address in EOLE_PAGE, of a cluster of which
// over 10,000 tasks ended. Prints JSON: milliseconds from the request until the first screen has its figures
// (the median of nine new browsers' contexts), milliseconds between frames while a list of 10,000 rows is
// scrolled through (the median, of 99 in 100), and how much of a core the tab uses that is open and idle.
import { chromium } from 'playwright-core';

const home = process.env.EOLE_PAGE;
const kVisits = 9;
const kRows = 10_000;
const kScrolls = 600;
const kIdleMs = 20_000;

const sorted = (numbers) => numbers.toSorted((one, other) => one - other);
const at = (numbers, share) => sorted(numbers)[Math.floor(share * (numbers.length - 1))];

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const open = () => browser.newPage({ viewport: { width: 1280, height: 900 } });

const paints = [];
for (let visit = 0; visit < kVisits; visit += 1) {
  const page = await open();
  await page.addInitScript(() => {
    const look = () => {
      const figures = document.querySelector('.figures');
      if (figures && /\d/.test(figures.textContent)) window.painted = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(home);
  await page.waitForFunction(() => window.painted);
  paints.push(await page.evaluate(() => window.painted));
  await page.close();
}

const page = await open();
const session = await page.context().newCDPSession(page);
await session.send('Performance.enable');
const busy = async () => {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'ProcessTime').value;
};
await page.goto(home);
await page.waitForTimeout(2000);
const before = await busy();
await page.waitForTimeout(kIdleMs);
const idle = (await busy()) - before;

await page.goto(`${home}/tasks?state=done`);
const rows = () => page.evaluate(() => Number(document.querySelector('[aria-rowcount]')?.ariaRowCount));
while (!((await rows()) >= kRows)) {
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.waitForTimeout(20);
}
const frames = await page.evaluate(async (scrolls) => {
  const step = (document.body.scrollHeight - innerHeight) / scrolls;
  const found = [];
  let last = await new Promise(requestAnimationFrame);
  for (let scroll = 1; scroll <= scrolls; scroll += 1) {
    scrollTo(0, scroll * step);
    const now = await new Promise(requestAnimationFrame);
    found.push(now - last);
    last = now;
  }
  return found;
}, kScrolls);
await browser.close();
console.log(
  JSON.stringify({ paint: at(paints, 0.5), median: at(frames, 0.5), p99: at(frames, 0.99), idle: (100 * idle) / kIdleMs }),
);

// How a map of 100,000 tasks keeps up with who draws over it: node brush.mjs, with the page's address in
// EOLE_PAGE and its project in EOLE_PROJECT. Prints JSON: milliseconds between frames, the median and of
// 99 in 100, and of the page's own work for each move.
import { chromium } from 'playwright-core';

const kMoves = 120;

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
await page.goto(`${process.env.EOLE_PAGE}/projects/${process.env.EOLE_PROJECT}`);
const map = page.getByRole('img', { name: /A square for each of 100,000 tasks/ });
await map.waitFor({ timeout: 120_000 });
await page.getByText('Draw over some').waitFor({ timeout: 120_000 });
const { x, y, width, height } = await map.boundingBox();
const session = await context.newCDPSession(page);
await session.send('Performance.enable');
const worked = async () => {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'ScriptDuration').value;
};
await page.mouse.move(x + 2, y + 2);
await page.mouse.down();
await page.evaluate(() => {
  window.frames = [];
  let last = performance.now();
  const count = (now) => {
    window.frames.push(now - last);
    last = now;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
});
const before = await worked();
for (let move = 1; move <= kMoves; move += 1)
  await page.mouse.move(
    x + 2 + (((move * 37) % kMoves) / kMoves) * (width - 4),
    y + 2 + (move / kMoves) * (height - 4),
  );
const after = await worked();
const frames = (await page.evaluate(() => window.frames)).sort((one, other) => one - other);
await browser.close();
const at = (share) => frames[Math.floor(share * (frames.length - 1))];
console.log(JSON.stringify({ median: at(0.5), p99: at(0.99), script: (after - before) / kMoves }));

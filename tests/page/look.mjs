// Pictures of the page, to be looked at: node look.mjs DIRECTORY [PATH...]. Every screen, with the task
// that ended last (or what is said), of the cluster at EOLE_PAGE, as who has EOLE_TOKEN if it asks for
// one, at three widths, light and dark, in English and French. It says what is wider than its window,
// and what the browser minds.
import { chromium } from 'playwright-core';
import { kScreens } from './screens.mjs';

const [directory, ...said] = process.argv.slice(2);
const { EOLE_PAGE: home, EOLE_TOKEN: token } = process.env;
if (!directory || !home) throw new Error('usage: EOLE_PAGE=http://… node look.mjs DIRECTORY [PATH...]');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const locale of ['en', 'fr'])
  for (const colorScheme of ['light', 'dark'])
    for (const width of [390, 1024, 1600]) {
      const context = await browser.newContext({ locale, colorScheme, viewport: { width, height: 900 } });
      if (token) await context.request.post(`${home}/login`, { data: { token } });
      const { rows } = await (await context.request.get(`${home}/history?limit=1`)).json();
      const screens = [...kScreens, ...rows.map(({ id }) => `/tasks/${id}`), '/access', '/login'];
      const page = await context.newPage();
      page.on('pageerror', (error) => console.log(page.url(), error.message));
      page.on('console', (each) => each.type() === 'error' && console.log(page.url(), each.text()));
      for (const screen of said.length > 0 ? said : screens) {
        await page.goto(home + screen);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.locator('.skeleton').first().waitFor({ state: 'detached' });
        await page.waitForLoadState('networkidle', { timeout: 2000 }).catch(() => undefined); // It lives.
        const name = `${screen.replace(/\W+/g, '-')}-${width}-${colorScheme}-${locale}.png`;
        await page.screenshot({ path: `${directory}/${name}`, fullPage: true });
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (beyond > 0) console.log(`${name}: ${beyond} px wider than the window`);
      }
      await context.close();
    }
await browser.close();

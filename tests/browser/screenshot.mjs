// Reads {"overview", "execution", "image"}, paths, from standard input and draws the picture of README.md: one page on
// a wide screen, the other on a phone in dark mode.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { launch } from './browser.mjs';

const { overview, execution, image } = JSON.parse(readFileSync(0, 'utf8'));
const browser = await launch();

async function shot(path, scheme, width, height, selector) {
  const page = await browser.newPage();
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width, height });
  await page.goto(pathToFileURL(path).href);
  await page.evaluate((first) => first && document.querySelector(first).scrollIntoView(), selector);
  const data = await page.screenshot({ encoding: 'base64' });
  await page.close();
  return `<img src="data:image/png;base64,${data}">`;
}

const page = await browser.newPage();
await page.setViewport({ width: 1250, height: 760 });
await page.setContent(`<style>
  body { margin: 0; padding: 20px; display: flex; gap: 20px; background: #fff; }
  img { border-radius: 10px; box-shadow: 0 0 0 1px #d0d7de; }
</style>${await shot(execution, 'light', 830, 720)}${await shot(overview, 'dark', 360, 720, '#months')}`);
await page.screenshot({ path: image });
await browser.close();

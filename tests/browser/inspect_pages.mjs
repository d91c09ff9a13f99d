// Reads {NAME: PATH}, the pages, from standard input and prints what a browser finds in each, as JSON.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { launch } from './browser.mjs';

const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1100, height: 900 };

async function inspect(browser, path) {
  const page = await browser.newPage();
  const found = { console: [], requests: [], violations: {}, clipped: {}, faint: {}, widths: {} };
  page.on('console', (message) => found.console.push(message.text()));
  page.on('pageerror', (error) => found.console.push(String(error)));
  page.on('request', (request) => found.requests.push(request.url()));
  await page.setViewport(NARROW);
  await page.goto(pathToFileURL(path).href);
  found.closed = await page.$$eval('details', (all) => all.filter((each) => !each.open).length);
  found.tabs = await tabs(page);
  await page.$$eval('details', (all) => all.forEach((each) => { each.open = true; }));
  await page.evaluate(axe.source);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    for (const viewport of [NARROW, WIDE]) {
      await page.setViewport(viewport);
      const name = `${scheme} ${viewport.width}`;
      found.violations[name] = await page.evaluate(violations);
      found.clipped[name] = await page.evaluate(clippedTexts);
      found.faint[name] = await page.evaluate(faintGraphics);
      found.widths[name] = await page.evaluate(() => document.documentElement.scrollWidth);
    }
  }
  await page.$$eval('details', (all) => all.forEach((each) => { each.open = false; }));
  await page.emulateMediaType('print');
  found.print = await page.evaluate(() => ({
    background: getComputedStyle(document.body).backgroundColor,
    hidden: [...document.querySelectorAll('details > :not(summary)')].filter((each) => !each.checkVisibility({ contentVisibilityAuto: true })).length,
  }));
  found.pdf = Buffer.from(await page.pdf({ format: 'A4' })).subarray(0, 4).toString();
  await page.close();
  return found;
}

async function tabs(page) {
  const all = await page.$$eval('a[href], summary, [tabindex="0"]', (elements) => elements.map((each) => each.outerHTML));
  const reached = [];
  for (const _ of all) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement.outerHTML));
  }
  return { all, reached };
}

async function violations() {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations, passes } = await axe.run({ runOnly: { type: 'tag', values: tags } });
  if (!passes.some(({ id }) => id === 'color-contrast')) return ['axe did not check contrast'];
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

// Vega chose the layout with a font that the reader may lack, so the texts must fit in one that is a tenth wider.
function clippedTexts() {
  const wider = document.head.appendChild(document.createElement('style'));
  wider.textContent = 'svg text { letter-spacing: 0.06em; }';
  const texts = [...document.querySelectorAll('svg text')].filter((each) => each.checkVisibility() && each.getAttribute('opacity') !== '0');
  const clipped = texts.filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()];
    return inner.width && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
  });
  wider.remove();
  return clipped.map((text) => text.textContent);
}

// axe does not check SVG: texts need a contrast of 4.5 with their card, other graphics one of 3 (WCAG 1.4.3, 1.4.11).
// The cells of months that are not expected are background.
function faintGraphics() {
  const probe = document.body.appendChild(document.createElement('i'));
  const resolve = (color) => {
    probe.style.color = color;
    return getComputedStyle(probe).color;
  };
  const channels = (color) => resolve(color).match(/[\d.]+/g).slice(0, 3).map((value) => value / 255);
  const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => channels(color).map(linear).reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => {
    const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const background = ['var(--empty)', 'var(--bad-soft)', 'none', 'transparent'];
  const marks = [...document.querySelectorAll('svg .mark-text text, svg .mark-rect path')].filter((each) => each.checkVisibility());
  const checked = marks.filter((each) => each.hasAttribute('fill') && !background.includes(each.getAttribute('fill')));
  const faint = checked.filter((each) => {
    const behind = getComputedStyle(each.closest('section')).backgroundColor;
    return contrast(getComputedStyle(each).fill, behind) < (each.tagName === 'text' ? 4.5 : 3);
  });
  probe.remove();
  return { checked: checked.length, faint: [...new Set(faint.map((each) => `${each.tagName} ${each.getAttribute('fill')}`))] };
}

const browser = await launch();
const found = {};
for (const [name, path] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) found[name] = await inspect(browser, path);
await browser.close();
console.log(JSON.stringify(found));

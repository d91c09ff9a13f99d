// A headless Chromium from npm, unpacked into TMPDIR, with the libraries that come with it.
// CHROME names another browser, for machines for which the package has none.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import chromium, { inflate, setupLambdaEnvironment } from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';

export async function launch() {
  if (process.env.CHROME) return puppeteer.launch({ executablePath: process.env.CHROME });
  const executablePath = await chromium.executablePath();
  const main = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  await inflate(join(dirname(main), '..', 'bin', 'al2023.tar.br'));
  setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'));
  // The pages are our own, and Chromium's sandbox needs permissions that containers lack.
  return puppeteer.launch({ executablePath, args: ['--no-sandbox'], headless: 'shell', env: process.env });
}

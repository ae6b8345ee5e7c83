// The status page in a real browser: what stands on it, that nothing in a task
// acts on the browser, and that it fits a telephone, by day and by night.
//
//   node page.mjs BINARY CHROMIUM FOLDER     with a folder for screenshots

import assert from "node:assert/strict";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { start } from "./exporter.mjs";
import { failed, hostile, running, serve } from "./sddc_manager.mjs";

const [binary, executablePath, folder] = process.argv.slice(2);
const OPEN = 300;

const tasks = Array.from({ length: OPEN }, (_, number) => running(number));
tasks.push(failed("hostile-1", hostile), failed("../..", "Deploy the vCenter"));
const source = await serve(tasks);
const exporter = await start(binary, source.url);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

// Opens the page, and fails if it does what it must not.
async function open(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const misdeeds = [];
  page.on("dialog", (dialog) => {
    misdeeds.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("console", (line) => {
    if (!line.location().url.endsWith("/favicon.ico")) misdeeds.push(`console: ${line.text()}`);
  });
  page.on("pageerror", (error) => misdeeds.push(`error: ${error}`));
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (!["/", "/favicon.ico"].includes(pathname)) misdeeds.push(`request: ${request.url()}`);
  });
  const answer = await page.goto(exporter.url);
  assert.equal(answer.status(), 200);
  return { page, misdeeds, close: () => context.close() };
}

const checks = {
  async "everything stands on it"() {
    const { page, misdeeds, close } = await open({ viewport: { width: 1200, height: 900 } });
    assert.equal(await page.locator("li.task").count(), OPEN);
    assert.equal(await page.locator("progress").count(), OPEN);
    assert.equal(await page.locator("details.failure").count(), 2);
    const text = await page.locator("main").innerText();
    for (const shown of ["1 of 1 sources up", "sfo-vcf01", "75 %", "3 of 4 sub-tasks", "INNER", "TOKEN7", "java.io.IOException", "Power on"]) {
      assert.ok(text.includes(shown), `${shown} is not on the page`);
    }
    const calls = await page.locator("pre.call").allInnerTexts();
    assert.equal(calls.length, 1, "only a plain id stands in a command");
    assert.ok(calls[0].endsWith(`'${source.url}/v1/tasks/hostile-1'`), calls[0]);
    assert.deepEqual(misdeeds, []);
    await page.screenshot({ path: join(folder, "wide-light.png") });
    await close();
  },

  async "nothing in a task acts"() {
    const { page, misdeeds, close } = await open({ viewport: { width: 1200, height: 900 } });
    assert.equal(await page.evaluate(() => window.attacked), undefined);
    assert.equal(await page.locator("main script, main img, main svg, main style, main meta").count(), 0);
    const name = await page.locator(".failure .what").filter({ hasText: "script" }).innerText();
    const visible = hostile.replace("\u202e", "\\u202e").replace("\u001b", "\\u001b");
    assert.equal(name, visible);
    assert.deepEqual(misdeeds, []);
    await close();
  },

  async "it fits a telephone"() {
    for (const width of [320, 390]) {
      const { page, close } = await open({ viewport: { width, height: 800 }, isMobile: true, hasTouch: true });
      const wide = await page.evaluate(() => {
        const root = document.documentElement;
        const over = [...document.querySelectorAll("body *")].filter(
          (element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest("summary > .brief"),
        );
        return { scrolls: root.scrollWidth - root.clientWidth, over: over.map((element) => element.outerHTML.slice(0, 200)) };
      });
      assert.deepEqual(wide, { scrolls: 0, over: [] }, `at ${width} pixels`);
      await page.screenshot({ path: join(folder, `narrow-${width}.png`) });
      await close();
    }
  },

  async "it is light by day and dark by night"() {
    for (const [colorScheme, is] of [["light", (light) => light > 200], ["dark", (light) => light < 60]]) {
      const { page, close } = await open({ colorScheme, viewport: { width: 1200, height: 900 } });
      const colors = await page.evaluate(() => {
        const style = getComputedStyle(document.body);
        const light = (color) => color.match(/[0-9.]+/g).slice(0, 3).reduce((sum, part) => sum + part / 3, 0);
        return { ground: light(style.backgroundColor), text: light(style.color) };
      });
      assert.ok(is(colors.ground), `${colorScheme}: ${JSON.stringify(colors)}`);
      assert.ok(Math.abs(colors.ground - colors.text) > 120, "the text can be read");
      await page.screenshot({ path: join(folder, `wide-${colorScheme}.png`) });
      await close();
    }
  },

  async "it needs no script, and its links lead somewhere"() {
    const { page, close } = await open({ javaScriptEnabled: false });
    assert.equal(await page.locator("li.task").count(), OPEN);
    const links = await page.locator("nav a").all();
    assert.ok(links.length >= 5);
    for (const link of links) {
      const url = new URL(await link.getAttribute("href"), page.url());
      assert.equal((await fetch(url)).status, 200, url.href);
    }
    await page.locator("li.source a").first().click();
    assert.equal(new URL(page.url()).search, "?source=sfo-vcf01");
    await page.getByText("Show all").click();
    await page.getByText("stop", { exact: true }).click();
    assert.equal(await page.locator("meta[http-equiv]").count(), 0);
    await close();
  },
};

let failures = 0;
try {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok      ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser.close();
  exporter.child.kill();
  source.server.closeAllConnections();
  source.server.close();
}
process.exitCode = failures === 0 ? 0 : 1;

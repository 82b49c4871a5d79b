/* What the browser's tests share: each test gets a page of its own in
 * Chromium, and prints "ok NAME" or "not ok NAME: why" */
import { createRequire } from "module";
import { readFileSync } from "fs";

const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tests = [];
/* against hanging for ever: how fast the machine is, no test asks */
const patience_ms = 120000;

export const wide = { width: 1280, height: 720 };
export const looks = {
	light: { viewport: wide },
	dark: { viewport: wide, colorScheme: "dark" },
	phone: { viewport: { width: 390, height: 844 } }
};

/* options: of the browser's context, and "file", "console": a pattern of what
 * the console may say */
export function test(name, body, options = {})
{
	tests.push({ name, body, options });
}

export function same(got, expected, what)
{
	if (got !== expected)
		throw new Error(`${what}: expected ${JSON.stringify(expected)}, ` +
				`got ${JSON.stringify(got)}`);
}

export function holds(condition, what)
{
	if (!condition)
		throw new Error(what);
}

export const text = (page, id) => page.textContent("#" + id);
export const here = page => page.evaluate(() =>
	document.querySelector(".row.here .ids")?.textContent ?? "");

/* What axe finds that keeps somebody from using the page */
export async function seriousFaults(page)
{
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run({
		resultTypes: ["violations"] }));

	return found.violations
		.filter(v => ["serious", "critical"].includes(v.impact))
		.map(v => v.id + " " + v.nodes[0].html).join("; ");
}

async function play(browser, { name, body, options }, { url, ...more })
{
	const { file, console: said, ...rest } = options;
	const context = await browser.newContext({ locale: "en",
		viewport: wide, ...more, ...rest });
	const page = await context.newPage();
	const errors = [];
	let isGood = true;

	page.setDefaultTimeout(patience_ms);
	page.requests = [];
	page.on("request", r => page.requests.push(r.url()));
	page.on("console", m => said && said.test(m.text()) ||
		errors.push(m.text()));
	page.on("pageerror", e => errors.push(e.stack));
	try {
		await page.goto(url);
		await body(page);
		same(errors.join("; "), "", "console");
		console.log("ok " + name);
	} catch (e) {
		console.log("not ok " + name + ": " +
			    [e.message, ...errors].join("; ")
				.replace(/\n/g, " ").slice(0, 2000));
		isGood = false;
	}
	await context.close();

	return isGood;
}

/* where: gives a test's url, and what else its context needs */
export async function playAll(where)
{
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium", timeout: patience_ms,
		args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
	let isGood = true;

	/* most of a test is waiting for the next frame: some at a time */
	await Promise.all([0, 1, 2].map(async () => {
		while (tests.length) {
			const next = tests.shift();

			isGood = await play(browser, next, where(next)) &&
				isGood;
		}
	}));
	await browser.close();
	process.exit(isGood ? 0 : 1);
}

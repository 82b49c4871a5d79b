/* node step.mjs URL FOLDER: steps a real run, of real processes, by the page of
 * `sipshare step --web`. A screenshot goes to FOLDER. */
import { test, holds, playAll } from "./drive.mjs";

const [url, folder] = process.argv.slice(2);
const ids = page => page.evaluate(() => page.items.flatMap(item =>
	item.ids.split(" ")));

/* Acted on: the message that was next is so no more */
async function next(page, how)
{
	const before = await page.evaluate(() => live.shown);

	await how();
	await page.waitForFunction(was => live.shown !== was &&
		live.from === Infinity, before);
}

test("a_real_run_is_stepped_to_its_end", async page => {
	/* S401 to S414 by clicks; registration, which is inside S408, at once */
	for (let i = 0; i < 60 && !(await ids(page)).includes("S408"); i++)
		await next(page, () => page.click("#livenext"));
	holds((await ids(page)).includes("S407"), "S407 was not passed");
	await page.fill("#liveuntil", "S409");
	await next(page, () => page.click("#liveuntilgo"));
	await page.waitForFunction(() => page.items.some(item =>
		item.ids.includes("S409")));
	for (let i = 0; i < 60 && !(await ids(page)).includes("S414"); i++)
		await next(page, () => page.keyboard.press("."));
	const seen = await ids(page);

	for (let n = 401; n <= 414; n++)
		holds(seen.includes("S" + n), `S${n} was not passed`);
	for (let n = 501; n <= 521; n++)
		holds(seen.includes("S" + n), `S${n} was not passed`);

	/* back, while the run is held */
	await page.keyboard.press("ArrowLeft");
	holds(await page.locator(".row.future").count() > 0, "no future");
	await page.screenshot({ path: folder + "/step.png" });

	await page.click("#liverun");
	await page.waitForFunction(() => document.getElementById("verdict")
		.textContent === "PASS");
	const capture = await page.evaluate(async () => {
		const answer = await fetch("capture.pcapng");

		return (await answer.arrayBuffer()).byteLength;
	});

	holds(capture > 10000, `the capture has ${capture} bytes`);
	await page.click("#livequit");
}, { console: /Failed to load resource/ });

await playAll(() => ({ url }));

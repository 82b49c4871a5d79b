/* node live.mjs FOLDER NAME=URL...: each test drives the live page at its own
 * URL, behind which a recorded run is told again. Screenshots go to FOLDER. */
import { readFileSync } from "fs";
import { resolve } from "path";
import { test, same, holds, text, here, seriousFaults, looks, playAll }
	from "./drive.mjs";

const folder = resolve(process.argv[2]);
const urls = new Map(process.argv.slice(3).map(arg => {
	const [name, ...url] = arg.split("=");

	return [name, url.join("=")];
}));
const refused = /Failed to load resource/;

const count = async page => Number((await text(page, "position"))
	.match(/\d+$/)?.[0] ?? 0);
const rows = (page, kind) => page.locator(".row." + kind);

/* Ask for one more message, and wait for the page to show it */
async function next(page, how)
{
	const shown = await page.evaluate(() => live.shown);

	await how();
	await page.waitForFunction(was => live.shown !== was &&
		live.from === Infinity, shown);
}

const click = page => next(page, () => page.click("#livenext"));
const key = page => next(page, () => page.keyboard.press("."));

async function until(page, id)
{
	await page.fill("#liveuntil", id);
	await next(page, () => page.click("#liveuntilgo"));
}

/* Connected: from then on it hears what happens */
const linked = page => page.waitForFunction(() =>
	live.source.readyState === EventSource.OPEN);

/* Figure 4 one by one; figure 5, which is inside S408, at a stretch */
async function allSteps(page, how)
{
	const ids = () => page.evaluate(() => page.items.flatMap(item =>
		item.ids.split(" ")));
	const go = async last => {
		for (let i = 0; i < 60; i++) {
			const seen = await ids();

			if (last.every(id => seen.includes(id)))
				return;
			await how(page);
		}
	};

	await go(["S408"]);
	await until(page, "S409");
	await go(["S412", "S414"]);
	const seen = await ids();

	for (let n = 401; n <= 414; n++)
		holds(seen.includes("S" + n), `S${n} was not seen`);
	same(await page.evaluate(() => page.cursor === lastShown()), true,
	     "the page follows");
}

test("the_run_is_stepped_from_s401_to_s414_by_clicks", async page => {
	await allSteps(page, click);
});

test("the_run_is_stepped_by_keys", async page => {
	await allSteps(page, key);
});

test("what_is_to_come_is_grey_below", async page => {
	const ids = () => page.locator(".row.coming .ids").allTextContents();
	const before = await ids();

	same(before[0], "S401", "the first to come");
	same(before.slice(7, 10).join(" "), "S408 S501 S502", "figure 5");
	holds((await rows(page, "coming").nth(3).textContent())
		.includes("has not happened yet"), "not told");
	await until(page, "S402");
	same((await ids())[0], "S403", "the first to come after S402");
	same(await page.locator(".row.coming").first().textContent(),
	     "expected, still to come:", "head");
	await page.screenshot({ path: folder + "/coming.png" });
});

test("a_held_message_is_marked", async page => {
	await until(page, "S402");
	const row = await page.locator(".row.here").textContent();

	holds(row.includes("acts next"), row);
	holds((await text(page, "waits")).includes("S402 AS: HTTPS POST"),
	      await text(page, "waits"));
	holds((await text(page, "livestate")).includes("Waits for you. Next: " +
		"S402 AS"), await text(page, "livestate"));
	holds((await text(page, "explanation")).includes("has not acted on it"),
	      "not explained");
	same(await page.locator(".row.here svg rect").count(), 1, "mark");
	/* two at once: the second waits for its turn */
	for (let i = 0; i < 3; i++)
		await click(page);
	same(await page.locator("#waits li .tag.next").count(), 1, "next");
	same(await page.locator("#waits li").count(), 2, "waiting");
	holds((await page.locator("#rows").textContent()).includes("waits: "),
	      "the second is not marked: " + await text(page, "waits"));
	await page.screenshot({ path: folder + "/held.png" });
});

test("the_student_goes_back_and_the_page_stays_there", async page => {
	await until(page, "S404");
	await page.keyboard.press("p");
	same(await here(page), "S403", "after p");
	const content = await text(page, "content");

	await click(page);
	same(await here(page), "S403", "after more has come");
	same(await text(page, "content"), content, "message");
	holds(await page.locator(".row.future:not(.coming)").count() > 0,
	      "what happened later is not greyed");
	await page.keyboard.press("End");
	await click(page);
	same(await page.locator(".row.future:not(.coming)").count(), 0,
	     "future after End");
	same(await page.evaluate(() => page.cursor === lastShown()), true,
	     "follows again");
});

test("a_message_is_opened_while_live", async page => {
	await until(page, "S502");
	await page.locator(".row:not(.coming)", { hasText: "S502" }).click();
	holds((await text(page, "content")).includes("REGISTER sip:ims.test"),
	      await text(page, "content"));
	const added = await page.locator("#content .add .name")
		.allTextContents();

	holds(added.includes("Path"), "marked as new: " + added);
});

test("the_state_grows_with_the_run", async page => {
	holds(!(await text(page, "facts")).includes("occupied"), "too early");
	await until(page, "S408");
	same(await page.locator("#facts").getByText("occupied 1").count(), 1,
	     "occupied after S405");
});

test("run_to_a_step", async page => {
	await page.keyboard.press("u");
	await page.keyboard.type("s407");
	await next(page, () => page.keyboard.press("Enter"));
	same(await here(page), "S407", "run to");
	same(await page.locator("#allsteps option[value=S521]").count(), 1,
	     "offered");
	/* what has happened cannot be run to */
	await page.fill("#liveuntil", "S402");
	await page.click("#liveuntilgo");
	await page.waitForFunction(() => document.getElementById("livestate")
		.textContent.includes("S402 has happened already"));
}, { console: refused });

test("run_to_a_click_on_what_is_to_come", async page => {
	/* an option that cannot be chosen */
	await page.locator(".row.coming", { hasText: "S403" })
		.click({ force: true });
	same(await page.inputValue("#liveuntil"), "S403", "taken over");
	await next(page, () => page.keyboard.press("Enter"));
	same(await here(page), "S403", "run to");
});

test("an_unknown_step_is_told", async page => {
	await page.fill("#liveuntil", "S999");
	await page.click("#liveuntilgo");
	holds((await text(page, "livestate")).includes("S999: no such step"),
	      await text(page, "livestate"));
	same(page.requests.filter(u => u.endsWith("/v1/until")).length, 0,
	     "requests");
});

test("a_refusal_of_the_runner_is_told", async page => {
	await page.click("#livenext");
	await page.waitForFunction(() => document.getElementById("livestate")
		.textContent.includes("the run is busy: <b>wait</b>"));
	same(await page.locator("#livestate .fail").count(), 1, "marked");
}, { console: refused });

test("run_to_the_end_shows_verdict_and_capture", async page => {
	same(await page.getAttribute("#capture", "href"), null, "link too early");
	same(await text(page, "verdict"), "Waits for you", "verdict before");
	await next(page, () => page.keyboard.press("e"));
	same(await text(page, "verdict"), "PASS", "verdict");
	same(await page.locator(".row.coming").count(), 0, "still to come");
	holds((await text(page, "livestate")).includes("The run is over"),
	      await text(page, "livestate"));
	await page.click("#filters summary");
	const [download] = await Promise.all([page.waitForEvent("download"),
					      page.click("#capture")]);
	const path = folder + "/" + download.suggestedFilename();

	await download.saveAs(path);
	same(readFileSync(path).readUInt32LE(0), 0x0a0d0d0a, "pcapng");
	await page.keyboard.press(".");
	holds((await text(page, "livestate")).includes("Nothing waits"),
	      "after the end");
	await page.keyboard.press("End");
	same(await text(page, "explainhead"), "The whole run", "End");
	await page.screenshot({ path: folder + "/over.png" });
});

test("quit_ends_the_run_and_the_page_stays", async page => {
	await until(page, "S403");
	await page.click("#livequit");
	await page.waitForFunction(() => document.getElementById("livestate")
		.textContent.includes("sipshare has gone"));
	same(await text(page, "verdict"), "FAIL", "verdict");
	holds((await text(page, "livestate")).includes("it was quit"),
	      await text(page, "livestate"));
	await page.keyboard.press("p");
	same(await here(page), "S402", "after p");
	holds((await page.locator("#rows").textContent())
		.includes("expected, but never seen:"), "what never came");
}, { console: refused });

test("a_lost_connection_is_told", async page => {
	await linked(page);
	await page.click("#livenext");
	await page.waitForFunction(() => document.getElementById("livestate")
		.textContent.includes("The connection to sipshare is lost"));
	same(await page.getAttribute("#livenext", "aria-disabled"), "true",
	     "the button is off");
	await page.keyboard.press("Home");
	await page.keyboard.press("n");
	same(await here(page), "S401", "the page is of use");
}, { console: refused });

test("a_lost_connection_is_taken_up_again", async page => {
	await linked(page);
	for (let i = 0; i < 2; i++) {
		const shown = await page.evaluate(() => live.shown);

		await page.click("#livenext");
		/* another server: another run's number */
		await page.waitForFunction(was => live.shown.split(".")[0] !==
			was.split(".")[0] && !live.isLost &&
			live.from === Infinity, shown);
	}
	holds(await count(page) > 0, "nothing has come");
	same(await page.evaluate(() => new Set(page.items.map(i => i.entry.n))
		.size === page.items.length), true, "each entry once");
}, { console: /ERR_CONNECTION|Failed to load|INCOMPLETE/ });

test("filters_while_live", async page => {
	await page.click("#filters summary");
	await page.uncheck("#protocols input[value=HTTPS]");
	await until(page, "S501");
	same(await rows(page, "coming").filter({ hasText: "HTTPS" }).count(), 0,
	     "HTTPS to come");
	same(await page.isChecked("#protocols input[value=HTTPS]"), false,
	     "the filter");
	const fewer = await count(page);

	await page.check("#protocols input[value=HTTPS]");
	holds(await count(page) > fewer, "the filter did nothing");
	await page.selectOption("#viewof", "terminal");
	await until(page, "S510");
	const seen = await page.locator(".row:not(.head) .said")
		.allTextContents();

	holds(seen.length > 5 && seen.every(s => s.includes("terminal")),
	      seen.join("; "));
	await page.selectOption("#viewof", "");
	await page.selectOption("#lease", { index: 1 });
	same(await rows(page, "coming").count(), 0, "to come of a lease");
	await click(page);
	same(await page.inputValue("#lease"), "lease 1", "the lease is kept");
});

test("the_language_is_switched_while_live", async page => {
	await until(page, "S407");
	await page.keyboard.press("l");
	same(await text(page, "livenext"), "放行", "button");
	await click(page);
	holds((await text(page, "livestate")).includes("等待放行"),
	      await text(page, "livestate"));
	holds((await rows(page, "head").textContent()).includes("后续步骤"),
	      "head");
	holds(/acts|waits/.test(await text(page, "waits")) === false,
	      await text(page, "waits"));
	await page.screenshot({ path: folder + "/chinese.png" });
});

test("the_ladder_is_exported_while_live", async page => {
	await until(page, "S502");
	await page.click("#filters summary");
	for (const kind of ["svg", "text"]) {
		const [download] = await Promise.all([
			page.waitForEvent("download"), page.click("#" + kind)]);
		const path = folder + "/" + download.suggestedFilename();

		await download.saveAs(path);
		const saved = readFileSync(path, "utf8");

		holds(saved.includes("acts next: REGISTER"), kind + ": " +
		      saved.slice(-400));
		/* of the ladder; what is to come is no part of it */
		holds(saved.includes("S408 S501") && !saved.includes("S503"),
		      "what is to come is in " + kind);
	}
});

test("an_unknown_actor_gets_a_column", async page => {
	await until(page, "S403");
	holds((await text(page, "heads")).includes("appserver9"),
	      await text(page, "heads"));
});

test("two_pages_see_the_same", async page => {
	const other = await page.context().newPage();

	await other.goto(page.url());
	await click(page);
	await other.waitForFunction(n => page.items.length === n,
		await page.evaluate(() => page.items.length));
	await click(other);
	await page.waitForFunction(n => page.items.length === n,
		await other.evaluate(() => page.items.length));
});

test("the_focus_is_kept", async page => {
	const focused = () => page.evaluate(() => document.activeElement.id ||
		document.activeElement.value);

	await page.focus("#livenext");
	await next(page, () => page.keyboard.press("Enter"));
	same(await focused(), "livenext", "after Enter");
	await page.click("#filters summary");
	await page.focus("#viewof");
	await page.evaluate(() => ask("next"));
	await until(page, "S403");
	await page.focus("#actors input[value=boss]");
	await next(page, () => page.evaluate(() => ask("until",
		{ step: "S502" })));
	same(await focused(), "boss", "new actors came");
	await page.focus("#livenext");
	await next(page, () => page.evaluate(() => ask("end")));
	same(await focused(), "livenext", "when it is over");
});

test("hostile_text_is_text_while_live", async page => {
	await until(page, "S403");
	await click(page);
	await page.locator(".row:not(.coming)", { hasText: "S402" }).click();
	holds((await text(page, "content")).includes("<img src=x onerror="),
	      await text(page, "content"));
	await page.keyboard.press("End");
	holds((await text(page, "livestate")).includes("\\x1b[2J"),
	      await text(page, "livestate"));
	/* a name that is too long leaves its neighbours' place to them */
	same(await page.evaluate(() => [...document.querySelectorAll(
		"#heads span:not(.left)")].every(span => span.offsetWidth <=
		Math.ceil(page.view.each))), true, "heads");
	await page.screenshot({ path: folder + "/hostile.png" });
	same(await page.evaluate(() => window.broken), undefined, "script ran");
	same(await page.locator("main script, main img, #live img").count(), 0,
	     "elements made of text");
});

for (const [name, options] of [...Object.entries(looks),
	["chinese", { ...looks.light, locale: "zh-CN" }]])
	test("axe_finds_nothing_serious_live_" + name, async page => {
		await until(page, "S504");
		const first = await seriousFaults(page);

		await page.screenshot({ path: `${folder}/${name}.png` });
		await page.click("#filters summary");
		await page.click("#first");
		/* the same in other colours: once is enough */
		const back = name === "light" ? await seriousFaults(page) : "";

		await page.screenshot({ path: `${folder}/${name}-back.png` });
		same(first + back, "", "axe");
		same(await page.evaluate(() => document.documentElement
			.scrollWidth <= innerWidth), true, "fits the width");
	}, options);

await playAll(({ name }) => ({ url: urls.get(name) }));

/* node page.mjs FOLDER: drives the pages in FOLDER (report.html, hostile.html,
 * big.html) in Chromium, the network off, and prints "ok NAME" or "not ok
 * NAME: why" for each test. Screenshots go to FOLDER. */
import { readFileSync } from "fs";
import { pathToFileURL } from "url";
import { resolve } from "path";
import { test, same, holds, text, here, seriousFaults, looks, playAll }
	from "./drive.mjs";

const folder = resolve(process.argv[2]);

test("nothing_is_asked_of_the_network", async page => {
	same(page.requests.filter(u => !u.startsWith("file:") &&
		!u.startsWith("data:") && !u.startsWith("blob:")).length, 0,
		"requests");
	same(await text(page, "verdict"), "PASS", "verdict");
});

test("steps_s401_to_s414_by_clicks", async page => {
	const seen = new Set();

	await page.keyboard.press("i"); /* Fig. 4: fewer clicks */
	await page.click("#first");
	/* S412 goes between two others than S413 and S414: it may be last */
	const isDone = () => seen.has("S412") && seen.has("S414");

	for (let i = 0; i < 400 && !isDone(); i++) {
		await page.click("#next");
		for (const id of (await here(page)).split(" "))
			seen.add(id);
	}
	for (let n = 401; n <= 414; n++)
		holds(seen.has("S" + n), `S${n} was not passed`);
});

test("steps_and_goes_back_by_keys", async page => {
	await page.keyboard.press("Home");
	for (const id of ["S401", "S401", "S401", "S401", "S401", "S401",
			  "S402", "S403"]) {
		await page.keyboard.press("n");
		same(await here(page), id, "after n");
	}
	await page.keyboard.press("p");
	same(await here(page), "S402", "after p");
	await page.keyboard.press("ArrowRight");
	holds(await here(page) !== "S402", "→ went nowhere");
	await page.keyboard.press("ArrowLeft");
	same(await here(page), "S402", "after ←");
	holds(await page.locator(".row.future").count() > 0,
	      "the future is not greyed");
	await page.keyboard.press("End");
	same(await page.locator(".row.future").count(), 0, "future at the end");
});

test("a_click_opens_the_message", async page => {
	await page.fill("#jump", "S502");
	await page.keyboard.press("Enter");
	await page.click(".row.here");
	const content = await text(page, "content");

	holds(content.includes("REGISTER sip:ims.test SIP/2.0"), content);
	/* what the P-CSCF added, against S501 */
	const added = await page.locator("#content .add .name").allTextContents();

	holds(added.includes("Path"), "marked as new: " + added);
});

test("the_nonce_of_the_401_is_marked_in_the_second_register", async page => {
	await page.goto(page.url().split("#")[0] + "#S511");
	same(await here(page), "S511", "the fragment names");
	const marks = await page.locator("#content mark").allTextContents();

	holds(marks.some(m => /^[\w+/=-]{16,}$/.test(m)), "marks: " + marks);
});

test("diameter_is_shown_by_names", async page => {
	await page.goto(page.url().split("#")[0] + "#S507");
	const content = await text(page, "content");

	holds(content.includes("SIP-Auth-Data-Item"), content);
	holds(content.includes("2001 DIAMETER_SUCCESS"), content);
});

test("the_state_is_that_of_the_step", async page => {
	await page.goto(page.url().split("#")[0] + "#S410");
	holds((await text(page, "facts")).includes("REGISTERED"), "no state");
	await page.goto(page.url().split("#")[0] + "#S403");
	same(await page.locator("#facts").getByText("occupied 0").count(), 1,
	     "occupied before S405");
	await page.goto(page.url().split("#")[0] + "#S408");
	same(await page.locator("#facts").getByText("occupied 1").count(), 1,
	     "occupied after S405");
});

test("a_fragment_names_the_step", async page => {
	await page.click("#first");
	await page.keyboard.press("n");
	same(new URL(page.url()).hash, "#S401", "fragment");
});

test("english_and_chinese", async page => {
	await page.goto(page.url().split("#")[0] + "#S407");
	const english = await text(page, "explanation");

	await page.click("#lang");
	const chinese = await text(page, "explanation");

	holds(english.includes("[0087]") && chinese.includes("[0087]"),
	      "no paragraph: " + english + chinese);
	holds(/绑定/.test(chinese) && !/绑定/.test(english), chinese);
	same(await page.getAttribute("html", "lang"), "zh-CN", "lang");
	await page.screenshot({ path: folder + "/chinese.png" });
});

test("steps_of_figures_1_to_3_are_found", async page => {
	const jump = async id => {
		await page.fill("#jump", id);
		await page.keyboard.press("Enter");
		return here(page);
	};

	same(await jump("S101"), "S403", "S101");
	same(await jump("s203"), "S407", "S203");
	same(await jump("S303"), "S405", "S303");
	await page.click("#filters summary");
	same(await page.locator("#viewof option").getByText(/Fig. [123]/)
		.count(), 3, "figures' views");
});

test("filters_by_actor_protocol_and_lease", async page => {
	const count = async () => Number((await text(page, "position"))
		.match(/\d+$/)[0]);
	const all = await count();

	await page.click("#filters summary");
	await page.uncheck("#protocols input[value=SIP]");
	const fewer = await count();

	holds(fewer < all && fewer > 0, `${all} then ${fewer}`);
	await page.check("#protocols input[value=SIP]");
	await page.selectOption("#viewof", "boss");
	holds(await count() < 20, "BOSS sees " + await count());
	await page.selectOption("#viewof", "");
	await page.selectOption("#lease", { index: 1 });
	const first = await count();

	await page.selectOption("#lease", { index: 2 });
	const second = await count();

	holds(first > 30 && second > 30 && first + second < all,
	      `${first} + ${second} of ${all}`);
	await page.screenshot({ path: folder + "/lease.png" });
});

test("the_cscfs_become_one_column", async page => {
	await page.keyboard.press("i");
	same(await page.locator("#heads span:not(.left)").count(), 5, "columns");
	same((await page.locator("#heads").textContent()).includes("IMS"), true,
	     "IMS");
	await page.keyboard.press("i");
	same(await page.locator("#heads span:not(.left)").count(), 8, "columns");
});

test("exports_svg_png_and_text", async page => {
	const size = { svg: 5000, png: 5000, text: 1000 };

	await page.click("#filters summary");
	for (const kind of ["svg", "png", "text"]) {
		const [download] = await Promise.all([
			page.waitForEvent("download"), page.click("#" + kind)]);
		const path = folder + "/" + download.suggestedFilename();

		await download.saveAs(path);
		holds(readFileSync(path).length > size[kind],
		      kind + " is nearly empty");
	}
	same(readFileSync(folder + "/patent.png").toString("latin1", 1, 4),
	     "PNG", "PNG");
	same(await page.getAttribute("#capture", "href"), "capture.pcapng",
	     "link");
});

test("play_goes_on_and_stops", async page => {
	await page.selectOption("#speed", "20");
	await page.click("#first");
	await page.click("#play");
	await page.waitForFunction(() => parseInt(document.getElementById(
		"position").textContent, 10) > 2);
	await page.click("#play");
	same(await page.getAttribute("#play", "aria-pressed"), "false", "play");
});

for (const [name, options] of Object.entries(looks))
	test("axe_finds_nothing_serious_" + name, async page => {
		await page.goto(page.url().split("#")[0] + "#S511");
		await page.click("#filters summary");
		const bad = await seriousFaults(page);

		await page.click("#filters summary");
		await page.screenshot({ path: `${folder}/${name}.png` });
		same(bad, "", "axe");
		same(await page.evaluate(() => document.documentElement
			.scrollWidth <= innerWidth), true, "fits the width");
	}, options);

test("hostile_text_is_text", async page => {
	for (let i = 0; i < 4; i++) {
		await page.keyboard.press("n");
		await page.keyboard.press("ArrowRight");
	}
	await page.goto(page.url().split("#")[0] + "#n=0");
	const content = await text(page, "content");

	holds(content.includes("</script><script>"), content);
	holds(content.includes("\\x1b"), "a control is not shown: " + content);
	holds(content.includes("\\xff"), "a byte is not shown");
	same(await page.evaluate(() => window.broken), undefined, "script ran");
	same(await page.locator("#side script, #side img, #rows img").count(), 0,
	     "elements made of text");
	await page.goto(page.url().split("#")[0] + "#n=1");
	holds((await text(page, "content")).length > 65536, "64 kB were cut");
}, { file: "hostile.html" });

/* The work of a frame, counted: a clock would tell how busy the machine is */
test("5000_messages_scroll_smoothly", async page => {
	const frames = await page.evaluate(async () => {
		const box = document.getElementById("scroll");
		const all = page.rows;
		const taken = [];
		let looks = 0;

		page.rows = new Proxy(all, { get(rows, key) {
			looks++;
			return rows[key];
		} });
		for (let top = 0; top < box.scrollHeight; top += 2400) {
			looks = 0;
			box.scrollTop = top;
			await new Promise(requestAnimationFrame);
			await new Promise(requestAnimationFrame);

			const { y, height } = box.getBoundingClientRect();
			const seen = document.elementsFromPoint(
				box.getBoundingClientRect().x + 20,
				y + height / 2).find(e => e.closest(".row"));

			taken.push({ looks, isShown: Boolean(seen),
				rows: document.querySelectorAll(".row").length });
		}
		page.rows = all;

		return taken;
	});
	const most = key => Math.max(...frames.map(frame => frame[key]));

	holds(frames.length > 50, frames.length + " frames");
	holds(frames.every(frame => frame.isShown), "a frame shows nothing");
	holds(most("rows") < 80, most("rows") + " rows are drawn");
	holds(most("looks") < 300, `a frame looks ${most("looks")} times at rows`);
	holds(most("looks") > 0, "no frame looks at a row");
}, { file: "big.html" });

await playAll(({ options }) => ({ offline: true,
	url: pathToFileURL(folder + "/" + (options.file || "report.html")).href
}));

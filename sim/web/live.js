/* The page while its run is going on: what arrives, what waits, what is still
 * to come, and what the student asks for */

const RETRY_MS = 3000;
const live = {
	is: false, state: {}, /* as sim_web.h says */
	source: null, shown: "", /* id of what we have */
	from: Infinity, /* first entry that is not drawn yet */
	follows: true, isLost: false, trouble: ""
};

function isHeld()
{
	return live.state.state === "held" && !live.isLost;
}

function isOver()
{
	return live.state.state === "over";
}

/* More may come: there is no "whole run" yet */
function isGoing()
{
	return live.is && !isOver();
}

/* --- what is still to come --- */

/* Figure 5 (S501 to S521) opens step S408 of figure 4 */
function placeOf(id)
{
	const n = Number(id.slice(1, 4));

	return n > 500 && n <= 521 ? 408 + (n - 500) / 100 : n;
}

/* "S401..S414, S501/part": rows of the table, each once, in figure 4's order */
function expandSteps(text, steps)
{
	const found = new Map();
	const add = ref => {
		const [id, part] = ref.split("/");
		const row = steps.find(s => s.id === id && s.part === part) ||
			steps.find(s => s.id === id);

		if (row)
			found.set(id, row);
	};

	for (const token of text.split(/[\s,]+/).filter(Boolean)) {
		const range = /^S(\d{3})\.\.S(\d{3})$/.exec(token);

		if (!range)
			add(token);
		for (let n = range ? Number(range[1]) : 1;
		     n <= (range ? Number(range[2]) : 0); n++)
			add("S" + n);
	}

	return [...found.values()].sort((a, b) => placeOf(a.id) -
					placeOf(b.id));
}

/* Steps of figures 1 to 3 are others: "S404 S406" both, "S401|S402" one */
function isSeen(step, seen)
{
	if (!FIGURE.test(step.id))
		return seen.has(step.id);

	return step.is.split(" ").every(one => one.split("|")
		.some(ref => seen.has(ref.split("/")[0])));
}

/* The expected steps that were not seen, as rows that pass the filters */
function findComing()
{
	const seen = new Set(page.items.flatMap(item => item.ids.split(" ")));
	const items = expandSteps(live.state.expect || "", page.data.steps)
		.filter(step => !isSeen(step, seen))
		.map(step => ({ isComing: true, ids: step.id, step,
			wire: step.wire, entry: {}, n: Infinity,
			actors: [step.from, ...(step.to || "").split(" ")]
				.filter(Boolean) }));

	return chosen.about ? [] : items.filter(item => isShown(item, null));
}

/* --- what waits --- */

function markHeld()
{
	for (const item of page.items)
		delete item.held;
	for (const held of live.state.held || [])
		if (page.items[held.entry])
			page.items[held.entry].held = held.next ? "heldnext" :
				"heldwaits";
}

function textOfHeld(held)
{
	const item = page.items[held.entry];
	const ids = item && item.ids ? item.ids + " " : "";

	return plain(ids + actorName(held.actor) + ": " +
		(item ? item.wire + " " + summaryOf(item) : held.what));
}

function drawWaiting()
{
	const list = live.state.held || [];

	$("waiting").hidden = !list.length;
	$("waits").replaceChildren();
	for (const held of list) {
		const li = make("li", {}, textOfHeld(held) + " ");

		li.append(make("span", { class: held.next ? "tag next" : "tag" },
			       word(held.next ? "heldnext" : "heldwaits")));
		$("waits").append(li);
	}
}

/* --- the bar --- */

function setOff(node, isOff)
{
	/* a button that is disabled would lose the focus */
	node.setAttribute("aria-disabled", String(isOff));
}

function stateText()
{
	const next = (live.state.held || []).find(h => h.next);

	if (isOver())
		return word(live.isLost ? "gonelink" : "ended");
	if (live.isLost)
		return word("lostlink");
	if (live.state.state !== "held")
		return word(live.state.state === "running" ? "running" :
			    "starting");

	return next ? word("waiting") + " " + textOfHeld(next) :
		word("paused");
}

function drawLiveState()
{
	const box = $("livestate");
	const put = (text, attributes) => box.append(make("span", attributes,
							  plain(text)), " ");

	box.replaceChildren();
	if (live.trouble)
		put(live.trouble, { class: "fail" });
	put(stateText(), live.isLost && !isOver() ? { class: "fail" } : {});
	/* the runner speaks English */
	if (isOver() && page.data.reason)
		put(page.data.reason, { class: "fail", lang: "en" });
	else if (live.state.message && !live.isLost)
		put(live.state.message, { class: "soft", lang: "en" });
	for (const id of ["livenext", "liveuntilgo", "liverun"])
		setOff($(id), !isHeld());
	setOff($("livequit"), live.isLost);
}

function drawVerdict()
{
	const isDone = !isGoing();
	const state = live.state.state;

	document.title = page.data.name + " – sipshare";
	$("title").textContent = "sipshare: " + page.data.name;
	$("verdict").textContent = isDone ? plain(page.data.result) :
		word(state === "held" ? "paused" : state === "running" ?
			"running" : "starting");
	$("verdict").className = !isDone ? "soft" :
		page.data.result === "PASS" ? "pass" : "fail";
	if (isDone)
		$("capture").setAttribute("href", "capture.pcapng");
	else
		$("capture").removeAttribute("href");
}

function drawLive()
{
	drawVerdict();
	if (!live.is)
		return;
	drawWaiting();
	drawLiveState();
}

/* --- what arrives --- */

function lastShown()
{
	const last = page.shown[page.shown.length - 1];

	return last ? last.n : null;
}

/* Once a frame, however much has come */
function drawArrived()
{
	const from = live.from;
	const isOld = !live.follows && page.cursor !== null &&
		page.cursor < from;

	live.from = Infinity;
	readData(page.data, from);
	markHeld();
	drawChoices();
	select();
	if (live.follows)
		page.cursor = lastShown();
	drawLadder();
	drawPosition();
	drawLive();
	/* what the student reads stays as it is */
	if (!isOld)
		drawSide();
	if (live.follows && page.cursor !== null)
		showRow(false);
}

function take(update)
{
	const entries = page.data.entries;

	if (update.from > entries.length) {
		connect(); /* something is missing: have it all again */
		return;
	}
	entries.length = update.from;
	for (const entry of update.entries)
		entries.push(entry);
	page.data = { ...page.data, ...update, entries };
	live.state = update.live || live.state;
	live.trouble = "";
	if (live.from === Infinity)
		requestAnimationFrame(drawArrived);
	live.from = Math.min(live.from, update.steps ? 0 : update.from);
}

function connect()
{
	if (live.source)
		live.source.close();
	live.source = new EventSource("events");
	live.source.addEventListener("open", () => {
		live.isLost = false;
		drawLive();
	});
	live.source.addEventListener("trace", event => {
		if (event.lastEventId === live.shown)
			return;
		live.shown = event.lastEventId;
		take(JSON.parse(event.data));
	});
	live.source.addEventListener("error", () => {
		live.isLost = true;
		if (isOver())
			live.source.close();
		else if (live.source.readyState === EventSource.CLOSED)
			setTimeout(connect, RETRY_MS); /* it was refused */
		drawLive();
	});
}

/* --- what is asked --- */

async function ask(command, body)
{
	const isAllowed = command === "quit" ? !live.isLost :
		isHeld();

	live.trouble = isAllowed ? "" : word("notheld");
	if (!isAllowed) {
		drawLiveState();
		return;
	}
	try {
		const answer = await fetch("v1/" + command, { method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(body || {}) });
		const said = await answer.json();

		live.trouble = answer.ok ? "" : String(said.error);
	} catch {
		live.trouble = word("noanswer");
	}
	drawLiveState();
}

function askUntil()
{
	const id = $("liveuntil").value.trim().toUpperCase();
	const isKnown = page.data.steps.some(step => step.id === id);

	$("liveuntil").setCustomValidity(isKnown ? "" : word("unknownstep"));
	if (isKnown) {
		ask("until", { step: id });
		return;
	}
	live.trouble = (id ? id + ": " : "") + word("unknownstep");
	drawLiveState();
}

function wireLive()
{
	const click = (id, what) => $(id).addEventListener("click", what);

	click("livenext", () => ask("next"));
	click("liverun", () => ask("end"));
	click("livequit", () => ask("quit"));
	click("liveuntilgo", askUntil);
	$("liveuntil").addEventListener("keydown", event => {
		if (event.key === "Enter")
			askUntil();
	});
	click("rows", event => {
		const row = event.target.closest(".row.coming");

		if (row && row.dataset.step) {
			$("liveuntil").value = row.dataset.step;
			$("liveuntil").focus();
		}
	});
}

/* A page with "live" in its data is one that a run serves */
function startLive()
{
	const ids = new Set(page.data.steps.map(step => step.id));

	live.is = true;
	live.state = page.data.live;
	live.shown = page.data.shown;
	$("live").hidden = false;
	$("allsteps").replaceChildren(...[...ids].sort().map(id =>
		make("option", { value: id })));
	markHeld();
	wireLive();
	connect();
}

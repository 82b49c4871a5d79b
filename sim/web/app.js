/* The page: one object knows what is chosen, and everything is drawn from it */
const $ = id => document.getElementById(id);

const page = {
	data: null, items: [], shown: [], columns: [], view: null,
	rows: [], /* what is shown, and below it what is still to come */
	cursor: null, /* number of the last entry that has happened; null: all */
	abouts: new Map(), drawn: new Map(), timer: 0
};

/* --- data --- */

/* Entries before `from` are known already */
function readData(data, from)
{
	page.data = data;
	page.items = [...page.items.slice(0, from),
		...data.entries.slice(from).map((x, i) => ({ ...x, n: from + i,
			ids: x.entry.steps || "",
			step: x.step === undefined ? null :
				data.steps[x.step] }))];
	readSubjects(page.items);
	page.abouts = new Map();
	for (const lease of findLeases(page.items))
		page.abouts.set(lease.key, { lease });
	for (const call of findCalls(page.items))
		page.abouts.set("call " + call, { call });
}

/* --- moving --- */

function indexOfCursor()
{
	return page.shown.findLastIndex(item => item.n <= page.cursor);
}

function itemAt()
{
	return page.cursor === null ? null : page.items[page.cursor] || null;
}

function go(n, from)
{
	if (isGoing()) {
		live.follows = n === null || !page.shown.length ||
			n >= lastShown();
		n = live.follows ? lastShown() : n;
	}
	page.cursor = n;
	drawAll();
	if (n !== null)
		showRow(from === "click");
	setFragment();
}

function step(way, wanted)
{
	let i = page.cursor === null ? (way > 0 ? -1 : page.shown.length) :
		indexOfCursor();

	/* a cursor on a hidden entry: the one before it is shown already */
	if (way < 0 && page.cursor !== null &&
	    (i < 0 || page.shown[i].n !== page.cursor))
		i++;
	do
		i += way;
	while (page.shown[i] && wanted && !wanted(page.shown[i]));
	if (i < 0)
		go(-1);
	else if (page.shown[i])
		go(page.shown[i].n);
	else
		stopPlay();
}

/* A step of figures 1 to 3 is one of figure 4's */
const FIGURE = /^S[123]/;

function findStep(text)
{
	const asked = text.trim().toUpperCase();
	const figure = FIGURE.test(asked) &&
		page.data.steps.find(step => step.id === asked);
	const id = figure ? figure.is.slice(0, 4) : asked;
	const n = /^(?:N=|#)?(\d+)$/.exec(id);

	if (n)
		return page.items[Number(n[1])] || null;

	return page.items.find(item => item.ids.split(" ").includes(id)) || null;
}

function jump(text)
{
	const item = findStep(text);
	const why = word(isGoing() ? "notyet" : "notfound");

	$("jump").setCustomValidity(item || !text ? "" : why);
	if (!item) {
		if (text)
			$("position").textContent = text + ": " + why;
		return false;
	}
	go(item.n);

	return true;
}

/* "#S407" for the first of its name, "#n=57" for any other */
function setFragment()
{
	const item = itemAt();
	const id = item && item.ids.split(" ").find(s => findStep(s) === item);
	const hash = page.cursor === null || (isGoing() && live.follows) ? "" :
		id ? "#" + id :
		"#n=" + page.cursor;

	if (location.hash !== hash)
		history.replaceState(null, "", hash || location.pathname +
				     location.search);
}

function readFragment()
{
	const text = location.hash.slice(1);

	if (/^n=-1$/.test(text))
		go(-1);
	else if (text)
		jump(text);
}

function stopPlay()
{
	clearTimeout(page.timer);
	page.timer = 0;
	$("play").setAttribute("aria-pressed", "false");
}

function play()
{
	const tick = () => {
		page.timer = setTimeout(tick, 900 / Number($("speed").value));
		step(1);
	};

	if (page.timer) {
		stopPlay();
		return;
	}
	if (page.cursor === null || indexOfCursor() === page.shown.length - 1)
		page.cursor = -1;
	$("play").setAttribute("aria-pressed", "true");
	tick();
}

/* --- drawing --- */

function drawRows()
{
	const box = $("scroll");
	const top = Math.max(0, Math.floor(box.scrollTop / ROW) - 8);
	const end = Math.min(page.rows.length,
		Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 8);

	for (const [i, row] of page.drawn)
		if (i < top || i >= end) {
			row.remove();
			page.drawn.delete(i);
		}
	for (let i = top; i < end; i++) {
		const item = page.rows[i];
		const isFuture = item.isComing ||
			(page.cursor !== null && item.n > page.cursor);

		if (page.drawn.has(i))
			continue;
		page.drawn.set(i, makeRow(item, i, page.rows.length, page.view,
			isFuture, item.n === page.cursor));
		$("rows").append(page.drawn.get(i));
	}
	if (page.cursor !== null && $("row" + page.cursor))
		$("rows").setAttribute("aria-activedescendant",
				       "row" + page.cursor);
	else
		$("rows").removeAttribute("aria-activedescendant");
}

function redrawRows()
{
	for (const row of page.drawn.values())
		row.remove();
	page.drawn.clear();
	$("rows").style.height = page.rows.length * ROW + "px";
	drawRows();
}

function drawLadder()
{
	const width = $("scroll").clientWidth;
	const left = parseInt(getComputedStyle(document.documentElement)
		.getPropertyValue("--left"), 10);

	page.columns = findColumns(page.rows);
	page.view = layColumns(page.columns, width, left);
	drawHeads($("heads"), page.view);
	redrawRows();
}

function showRow(isSeen)
{
	const box = $("scroll");
	const top = indexOfCursor() * ROW;
	const room = box.clientHeight - 28;
	/* some of what is to come stays in sight */
	const below = page.rows.length > page.shown.length ? 5 : 2;

	if (isSeen || (top >= box.scrollTop &&
		       top + below * ROW <= box.scrollTop + room))
		return;
	box.scrollTop = top - room / 2;
	drawRows();
}

function drawExplanation()
{
	const item = itemAt(), box = $("explanation");
	const line = (text, kind) => {
		const p = make("p", kind ? { class: kind } : {});

		putText(p, text);
		box.append(p);
	};

	box.replaceChildren();
	if (!item) {
		const isAll = page.cursor === null && !isGoing();

		$("explainhead").textContent = isAll ? word("whole") :
			word("nothing");
		line(word(isAll ? "wholetext" : page.items.length ?
			  "nothingtext" : "livestart"));
		if (page.data.reason)
			line(page.data.reason, "fail");
		return;
	}
	$("explainhead").textContent = (item.ids ? item.ids + "  " : "") +
		ends(item).map(a => actorName(a)).join(" → ");
	line(captionOf(item) || labelOf(item), "caption");
	if (item.held)
		line(word(item.held + "text"), "held");
	for (const id of item.ids.split(" ").filter(i => EXPLAIN[i]))
		line(EXPLAIN[id][lang === "zh" ? 1 : 0]);
	if (!item.step)
		line(isFault(item) ? word("fault") : word("nostep"), "soft");
	else
		line([item.step.paragraph && word("paragraph") + " " +
			item.step.paragraph, item.step.clause &&
			word("clause") + " " + item.step.clause]
			.filter(Boolean).join("; "), "soft");
}

function drawSide()
{
	const item = itemAt();
	const upto = page.cursor === null ? page.items.length - 1 : page.cursor;
	const where = !item ? word(page.cursor === null && !isGoing() ? "final" :
				   "nothing") :
		word("asof") + " " + (item.ids || "#" + item.n);

	drawExplanation();
	$("messagehead").textContent = word("message") +
		(item ? " #" + item.n + " " + summaryOf(item) : "");
	if (item)
		showMessage($("content"), page.items, item);
	else
		$("content").replaceChildren(make("p", { class: "soft" },
						  "–"));
	$("statehead").textContent = word("state") + " (" + where + ")";
	showState($("facts"), page.items, upto,
		  page.cursor === null || upto < 1 ? null : upto - 1);
}

function drawPosition()
{
	const i = page.cursor === null ? page.shown.length - 1 :
		indexOfCursor();

	$("position").textContent = page.shown.length ?
		i + 1 + " " + word("of") + " " + page.shown.length :
		word("nomatch");
	for (const id of ["back", "first"])
		setOff($(id), page.cursor !== null && page.cursor < 0);
	setOff($("next"), isGoing() && live.follows);
	setOff($("last"), isGoing() ? live.follows : page.cursor === null);
}

function drawAll()
{
	drawPosition();
	redrawRows();
	drawSide();
}

function select()
{
	const about = page.abouts.get(chosen.about);
	const coming = live.is ? findComing() : [];

	page.shown = page.items.filter(item => isShown(item, about));
	page.rows = coming.length ? [...page.shown,
		{ isComing: true, isHead: true, actors: [], n: Infinity },
		...coming] : page.shown;
}

function refilter()
{
	select();
	if (isGoing() && live.follows)
		page.cursor = lastShown();
	drawLadder();
	drawPosition();
	drawSide();
}

/* --- controls --- */

/* Filled anew only when it changes: what is open or has the focus stays */
function isFilled(node, entries)
{
	const text = JSON.stringify([entries, lang]);
	const isSame = node.filled === text;

	node.filled = text;

	return isSame;
}

function fillSelect(node, entries, value)
{
	if (isFilled(node, entries))
		return;
	node.replaceChildren();
	for (const [key, name] of entries)
		node.append(make("option", { value: key }, plain(name)));
	node.value = value;
}

function fillChecks(box, entries, off)
{
	const legend = box.firstElementChild;
	const focus = box.contains(document.activeElement) ?
		document.activeElement.value : null;

	if (isFilled(box, entries))
		return;
	box.replaceChildren(legend);
	for (const [key, name] of entries) {
		const label = make("label");
		const input = make("input", { type: "checkbox", value: key });

		input.checked = !off.has(key);
		input.addEventListener("change", () => {
			if (input.checked)
				off.delete(key);
			else
				off.add(key);
			refilter();
		});
		label.append(input, " " + plain(name));
		box.append(label);
		if (key === focus)
			input.focus();
	}
}

function drawWords()
{
	document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
	for (const node of document.querySelectorAll("[data-t]"))
		if (node.dataset.icon) {
			node.textContent = node.dataset.icon;
			node.setAttribute("aria-label", word(node.dataset.t));
			node.title = word(node.dataset.t);
		} else {
			node.textContent = word(node.dataset.t);
		}
	for (const node of document.querySelectorAll("[data-label]"))
		node.setAttribute("aria-label", word(node.dataset.label));
	$("lang").textContent = lang === "en" ? "中文" : "English";
	$("lang").setAttribute("aria-label", $("lang").textContent);
	$("lang").lang = lang === "en" ? "zh" : "en";
	drawLegend($("legend"));
	drawKeys();
	drawChoices();
	drawLive();
}

/* Who is looked at by the patent's figures 1 to 3 */
function nameOfView(actor)
{
	const figure = ["terminal", "appserver", "platform"].indexOf(actor) + 1;

	return actorName(actor) + (figure ? " (" + word("figure") + " " +
		figure + ")" : "");
}

function nameOfAbout({ lease, call })
{
	return lease ? word("leaseid") + " " + lease.id + ": " + lease.uri +
		" ← " + lease.number : word("call") + " " + call;
}

function drawChoices()
{
	const seen = [...new Set(page.items.flatMap(ends))];
	const actors = [...ORDER.filter(a => seen.includes(a)),
			...seen.filter(a => !ORDER.includes(a))];

	fillSelect($("viewof"), [["", word("everyone")], ...actors.map(a =>
		[a, nameOfView(a)])], chosen.viewof);
	fillSelect($("lease"), [["", word("any")], ...[...page.abouts].map(
		([key, about]) => [key, nameOfAbout(about)])], chosen.about);
	fillChecks($("actors"), actors.map(a => [a, actorName(a)]),
		   chosen.actors);
	fillChecks($("protocols"), Object.keys(COLOURS).map(w =>
		[w, word("legend" + w.toLowerCase())]), chosen.protocols);
	$("stepids").replaceChildren(...[...new Set(page.items.flatMap(i =>
		i.ids.split(" ")))].filter(Boolean).sort()
		.map(id => make("option", { value: id })));
}

function setLanguage(to)
{
	lang = to;
	drawWords();
	drawLadder();
	drawPosition();
	drawSide();
}

function setDark(isDark)
{
	document.documentElement.classList.toggle("dark", isDark);
	readColours();
	drawLegend($("legend"));
	if (page.view)
		redrawRows();
}

function toggleIms()
{
	chosen.collapse = $("collapse").checked = !chosen.collapse;
	refilter();
}

const isLabelled = item => item.ids !== "";
const KEYS = [
	[["ArrowRight", "j"], "k_next", () => step(1)],
	[["ArrowLeft", "k"], "k_back", () => step(-1)],
	[["n"], "k_step", () => step(1, isLabelled)],
	[["p"], "k_step", () => step(-1, isLabelled)],
	[["Home"], "k_ends", () => go(-1)],
	[["End"], "k_ends", () => go(null)],
	[[" "], "k_play", play],
	[["g"], "k_jump", () => $("jump").focus()],
	[["Enter"], "k_open", () => $("message").focus()],
	[["Escape"], "k_ladder", () => $("rows").focus()],
	[["l"], "k_lang", () => setLanguage(lang === "en" ? "zh" : "en")],
	[["i"], "k_ims", toggleIms],
	[["?"], "k_help", () => $("help").showModal()]
];
const LIVE_KEYS = [
	[["."], "k_livenext", () => ask("next")],
	[["u"], "k_liveuntil", () => $("liveuntil").focus()],
	[["e"], "k_liverun", () => ask("end")],
	[["Q"], "k_livequit", () => ask("quit")]
];

function keysNow()
{
	return live.is ? [...LIVE_KEYS, ...KEYS] : KEYS;
}

function drawKeys()
{
	const names = { " ": "␣", ArrowRight: "→", ArrowLeft: "←" };
	const shown = new Map();

	for (const [keys, key] of keysNow())
		shown.set(key, [...shown.get(key) || [], ...keys]);
	$("keys").replaceChildren();
	for (const [key, keys] of shown) {
		const dt = make("dt");

		for (const k of keys)
			dt.append(make("kbd", {}, names[k] || k), " ");
		$("keys").append(dt, make("dd", {}, word(key)));
	}
}

function onKey(event)
{
	const target = event.target;
	const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) &&
		target.type !== "checkbox";

	if (event.ctrlKey || event.metaKey || event.altKey || $("help").open)
		return;
	if (isTyping && event.key !== "Escape")
		return;
	/* a button's own keys stay its own */
	if ((event.key === " " || event.key === "Enter") &&
	    /^(BUTTON|A|SUMMARY|INPUT)$/.test(target.tagName))
		return;
	if (target.id === "rows" && /^Arrow(Down|Up)$/.test(event.key)) {
		event.preventDefault();
		step(event.key === "ArrowDown" ? 1 : -1);
		return;
	}

	const found = keysNow().find(([keys]) => keys.includes(event.key));

	if (!found)
		return;
	event.preventDefault();
	found[2]();
}

function wire()
{
	const click = (id, what) => $(id).addEventListener("click", what);

	click("first", () => go(-1));
	click("last", () => go(null));
	click("next", () => step(1));
	click("back", () => step(-1));
	click("play", play);
	click("lang", () => setLanguage(lang === "en" ? "zh" : "en"));
	click("theme", () => setDark(!document.documentElement.classList
		.contains("dark")));
	click("helpbutton", () => $("help").showModal());
	click("svg", () => exportAs(page, "svg"));
	click("png", () => exportAs(page, "png"));
	click("text", () => exportAs(page, "txt"));
	click("rows", event => {
		const row = event.target.closest(".row");

		if (row && row.dataset.n)
			go(Number(row.dataset.n), "click");
	});
	$("jump").addEventListener("change", () => jump($("jump").value));
	$("collapse").addEventListener("change", () => {
		chosen.collapse = $("collapse").checked;
		refilter();
	});
	$("inner").addEventListener("change", () => {
		chosen.inner = $("inner").checked;
		refilter();
	});
	$("viewof").addEventListener("change", () => {
		chosen.viewof = $("viewof").value;
		refilter();
	});
	$("lease").addEventListener("change", () => {
		chosen.about = $("lease").value;
		refilter();
	});
	$("scroll").addEventListener("scroll", drawRows, { passive: true });
	document.addEventListener("keydown", onKey);
	window.addEventListener("hashchange", readFragment);
	new ResizeObserver(drawLadder).observe($("scroll"));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
		event => setDark(event.matches));
}

function start()
{
	readData(JSON.parse($("data").textContent), 0);
	lang = /^zh/.test(navigator.language) ? "zh" : "en";
	document.documentElement.classList.toggle("dark",
		matchMedia("(prefers-color-scheme: dark)").matches);
	readColours();
	if (page.data.live)
		startLive();
	select();
	if (live.is)
		page.cursor = lastShown();
	drawWords();
	drawLadder();
	wire();
	drawPosition();
	drawSide();
	readFragment();
}

start();

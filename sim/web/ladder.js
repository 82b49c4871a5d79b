/* The ladder: lifelines, arrows, and only the rows that are in sight */
const SVG = "http://www.w3.org/2000/svg";
const ROW = 30;
const COLOURS = { SIP: "--sip", Cx: "--cx", HTTPS: "--https", SOAP: "--soap",
		  event: "--event" };
const DASHES = { HTTPS: "2 4", SOAP: "9 3 2 3" };

function make(name, attributes, text)
{
	const node = document.createElement(name);

	for (const key of Object.keys(attributes || {}))
		node.setAttribute(key, attributes[key]);
	if (text !== undefined)
		node.textContent = text;

	return node;
}

function shape(name, attributes, text)
{
	const node = document.createElementNS(SVG, name);

	for (const key of Object.keys(attributes))
		node.setAttribute(key, attributes[key]);
	if (text !== undefined)
		node.textContent = text;

	return node;
}

let colours = {};

/* The values themselves: an exported picture has no style sheet */
function readColours()
{
	const style = getComputedStyle(document.documentElement);

	colours = {};
	for (const name of ["--sip", "--cx", "--https", "--soap", "--event",
			    "--bad", "--bg", "--fg", "--line", "--here",
			    "--future", "--futuretext"])
		colours[name] = style.getPropertyValue(name).trim();
}

function captionOf(item)
{
	return item.step ? item.step[lang === "zh" ? "zh" : "en"] : "";
}

function summaryOf(item)
{
	const e = item.entry;

	if (item.isComing)
		return "";
	if (item.wire !== "event")
		return plain(e.summary);
	if (e.name === "fsm")
		return plain(e.machine + " " + e.id + ": " + e.from + " → " +
			     e.to);

	const own = ["kind", "n", "t_us", "steps", "actor", "name", "impu"];
	const fields = item.step ? [] : Object.keys(e)
		.filter(k => !own.includes(k) && typeof e[k] !== "object")
		.map(k => k + "=" + e[k]);

	return plain([e.name, ...fields].join(" "));
}

function labelOf(item)
{
	const caption = captionOf(item);
	const mark = item.entry.retransmission_of !== undefined ? "↻ " :
		isFault(item) ? "⚡ " : item.held ? word(item.held) + ": " : "";

	return mark + [summaryOf(item), caption].filter(Boolean).join(": ");
}

function isFault(item)
{
	return item.wire === "event" && /^fault\./.test(item.entry.name);
}

/* About as wide as it will be drawn */
function widthOf(text)
{
	let width = 0;

	for (const c of text)
		width += c > "\u2e7f" ? 11.8 : /[A-Z_]/.test(c) ? 7.6 : 6.2;

	return width;
}

function cut(text, room)
{
	let width = 0, at = 0;

	for (const c of text) {
		width += c > "\u2e7f" ? 11.8 : /[A-Z_]/.test(c) ? 7.6 : 6.2;
		if (width > room - 8)
			return text.slice(0, at) + "…";
		at += c.length;
	}

	return text;
}

function arrowHead(wire, x, y, way, colour, back)
{
	const p = (dx, dy) => (x - way * dx) + "," + (y + dy);

	if (wire === "HTTPS")
		return shape("polyline", { points: [p(8, -5), p(0, 0), p(8, 5)]
			.join(" "), fill: "none", stroke: colour,
			"stroke-width": 1.6 });
	if (wire === "SOAP")
		return shape("polygon", { points: [p(0, 0), p(6, -4), p(12, 0),
			p(6, 4)].join(" "), fill: colour, stroke: colour });

	return shape("polygon", { points: [p(0, 0), p(9, -4.5), p(9, 4.5)]
		.join(" "), fill: wire === "Cx" ? back : colour, stroke: colour,
		"stroke-width": 1.3 });
}

function drawArrow(g, item, x1, x2, y, colour, back)
{
	const way = x2 > x1 ? 1 : -1;
	const line = dy => g.append(shape("line", {
		x1, x2: x2 - way * 8, y1: y + dy, y2: y + dy, stroke: colour,
		"stroke-width": item.wire === "Cx" ? 1 : 1.6,
		...DASHES[item.wire] && {
			"stroke-dasharray": DASHES[item.wire] } }));

	if (item.wire === "Cx")
		[-1.5, 1.5].forEach(line);
	else
		line(0);
	if (!item.entry.lost) {
		g.append(arrowHead(item.wire, x2, y, way, colour, back));
		return;
	}
	for (const s of [-1, 1])
		g.append(shape("line", { x1: x2 - way * 14, x2: x2 - way * 4,
			y1: y - 5 * s, y2: y + 5 * s, stroke: colours["--bad"],
			"stroke-width": 2 }));
}

/* At its receiver, behind the arrow's head: two bars, it waits; a triangle,
 * it is acted on next */
function drawHeld(g, isNext, x, y, colour, back)
{
	g.append(shape("rect", { x: x - 6.5, y: y - 6.5, width: 13, height: 13,
		rx: 3, fill: isNext ? colour : back, stroke: colour,
		"stroke-width": 1.5 }));
	if (isNext)
		g.append(shape("polygon", { points: [x - 3, y - 4, x - 3, y + 4,
			x + 4, y].join(" "), fill: back }));
	else
		for (const dx of [-3, 1])
			g.append(shape("rect", { x: x + dx, y: y - 3.5,
				width: 2, height: 7, fill: colour }));
}

/* One entry, as it stands in the list or in an exported picture */
function drawEntry(item, view, isFuture, isHere)
{
	const g = shape("g", {});
	const [from, ...others] = ends(item)
		.map(a => view.x.get(columnOf(a)));
	const tos = others.filter(x => x !== from);
	const back = colours[isHere ? "--here" : "--bg"];
	const colour = isFuture ? colours["--future"] :
		isFault(item) ? colours["--bad"] : colours[COLOURS[item.wire]];
	const y = 21;

	for (const x of view.x.values())
		g.append(shape("line", { x1: x, x2: x, y1: 0, y2: ROW,
			stroke: colours["--line"], "stroke-width": 1 }));
	if (!tos.length)
		g.append(shape("circle", { cx: from, cy: y - 5, r: 4.5,
			fill: item.step ? colour : back, stroke: colour,
			"stroke-width": 1.5 }));
	for (const to of tos)
		drawArrow(g, item, from, to, y, colour, back);
	if (item.held && tos.length)
		drawHeld(g, item.held === "heldnext", tos[0] +
			 (tos[0] > from ? 10 : -10), y + 1, colour, back);
	drawLabel(g, item, view, [from, ...tos], back,
		  isFuture ? colours["--futuretext"] : colour);

	return g;
}

function drawLabel(g, item, view, xs, back, colour)
{
	const inside = xs.length === 1;
	const low = Math.min(...xs) + (inside ? 9 : 6);
	const high = Math.max(...xs) - (inside ? 9 : 6);
	const text = labelOf(item);
	const need = widthOf(text);
	const atEnd = view.width - 4 - low < need &&
		high - view.left > view.width - 4 - low;
	const room = atEnd ? high - view.left : view.width - 4 - low;

	g.append(shape("text", { x: atEnd ? high : low, y: inside ? 20 : 13,
		fill: colour, stroke: back, "stroke-width": 3,
		"stroke-linejoin": "round", "paint-order": "stroke",
		"font-size": 11.5, "text-anchor": atEnd ? "end" : "start" },
		cut(text, room)));
}

/* Where the columns stand in `width` pixels */
function layColumns(columns, width, left)
{
	const each = (width - left) / Math.max(1, columns.length);

	return { width, left, each, brief: each < 76,
		 x: new Map(columns.map((c, i) => [c,
			Math.round(left + each * (i + 0.5))])) };
}

function drawHeads(box, view)
{
	box.replaceChildren();
	for (const [name, x] of [["time", 30], ["step", 64]]) {
		const node = make("span", { class: "left " +
			(name === "step" ? "ids" : name) }, word(name));

		node.style.left = x + "px";
		box.append(node);
	}
	for (const [actor, x] of view.x) {
		const node = make("span", {},
			plain(actorName(actor, view.brief)));

		node.style.left = x + "px";
		node.style.maxWidth = view.each + "px";
		box.append(node);
	}
}

function rowLabel(item)
{
	const e = item.entry;
	const who = ends(item).map(a => actorName(a));

	return plain([item.ids, who.length === 2 ? who.join(" → ") :
		who[0] + ", " + word("inside"),
		item.wire === "event" ? "" : item.wire, labelOf(item),
		e.lost ? word("lost") : "",
		item.isComing ? word("notyet") : ""].filter(Boolean).join(", "));
}

/* What stands between what has happened and what is to come */
function makeHead(row)
{
	row.classList.add("coming", "head");
	row.setAttribute("aria-disabled", "true");
	row.append(make("span", {}, word(isOver() ? "nevercame" : "coming")));

	return row;
}

function makeRow(item, index, count, view, isFuture, isHere)
{
	const row = make("div", { class: "row", role: "option",
		"aria-selected": isHere, "aria-setsize": count,
		"aria-posinset": index + 1 });
	const svg = shape("svg", { width: view.width, height: ROW,
		"aria-hidden": "true" });

	row.classList.toggle("future", isFuture);
	row.classList.toggle("here", isHere);
	row.style.top = index * ROW + "px";
	if (item.isHead)
		return makeHead(row);
	if (item.isComing) {
		row.dataset.step = item.ids;
		row.classList.add("coming");
		row.setAttribute("aria-disabled", "true");
	} else {
		row.id = "row" + item.n;
		row.dataset.n = item.n;
	}
	svg.append(drawEntry(item, view, isFuture, isHere));
	/* what is read aloud: the picture is cut where it has no room */
	row.append(make("span", { class: "said" }, rowLabel(item)),
		   make("span", { class: "time", "aria-hidden": "true" },
			item.isComing ? "" :
			(item.entry.t_us / 1000).toFixed(1)),
		   make("span", { class: "ids", "aria-hidden": "true" },
			view.left < 60 ?
			item.ids.split(" ").pop() : item.ids), svg);

	return row;
}

function drawLegend(box)
{
	const kinds = ["SIP", "Cx", "HTTPS", "SOAP"];

	box.replaceChildren();
	for (const wire of kinds) {
		const svg = shape("svg", { width: 34, height: 12,
			"aria-hidden": "true" });

		drawArrow(svg, { wire, entry: {} }, 2, 32, 6,
			  colours[COLOURS[wire]], colours["--bg"]);
		const item = make("span");

		item.append(svg, " " + word("legend" + wire.toLowerCase()));
		box.append(item);
	}
	box.append(make("span", {}, "● " + word("legendevent")),
		   make("span", {}, "↻ " + word("legendagain")),
		   make("span", {}, "× " + word("legendlost")));
	if (!live.is)
		return;
	for (const held of ["heldnext", "heldwaits"]) {
		const svg = shape("svg", { width: 17, height: 16,
			"aria-hidden": "true" });
		const item = make("span");

		drawHeld(svg, held === "heldnext", 8, 8, colours["--sip"],
			 colours["--bg"]);
		item.append(svg, " " + word(held));
		box.append(item);
	}
}

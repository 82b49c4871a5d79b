/* A message as text, laid out by protocol, and against the one before it.
 * Everything here may be hostile: it becomes text nodes, never markup. */

const BYTE = 0xdc00; /* a byte that is no UTF-8: a lone surrogate, which no
			decoded text can hold */

function fromHex(hex)
{
	const bytes = new Uint8Array(hex.length / 2);

	for (let i = 0; i < bytes.length; i++)
		bytes[i] = parseInt(hex.substr(2 * i, 2), 16);

	return bytes;
}

function decodeBytes(bytes)
{
	const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	let text = "";

	for (let i = 0; i < bytes.length;) {
		const b = bytes[i];
		const len = b < 0x80 ? 1 : b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;

		try {
			text += strict.decode(bytes.subarray(i, i + len));
			i += len;
		} catch {
			text += String.fromCharCode(BYTE + b);
			i++;
		}
	}

	return text;
}

function textOfItem(item)
{
	if (item.text === undefined)
		item.text = item.entry.text !== undefined ? item.entry.text :
			item.entry.hex ? decodeBytes(fromHex(item.entry.hex)) :
			"";

	return item.text;
}

/* Controls, bidi marks and what is no character */
const HOSTILE = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f" +
	"\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff" +
	"\\ufff0-\\ufffb]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|" +
	"(?<![\\ud800-\\udbff])[\\udc00-\\udfff]|\\n", "g");

function escapeOf(c)
{
	const code = c.charCodeAt(0);
	const two = n => n.toString(16).padStart(2, "0");

	if (c === "\r" || c === "\n")
		return c === "\r" ? "\\r" : "\\n";
	if (code >= BYTE && code <= BYTE + 0xff)
		return "\\x" + two(code - BYTE);

	return code < 0x100 ? "\\x" + two(code) :
		"\\u{" + code.toString(16) + "}";
}

function plain(text)
{
	return String(text).replace(HOSTILE, escapeOf);
}

function putText(node, text)
{
	let at = 0;

	for (const hit of String(text).matchAll(HOSTILE)) {
		node.append(text.slice(at, hit.index),
			    make("span", { class: "esc" }, escapeOf(hit[0])));
		at = hit.index + 1;
	}
	node.append(at ? text.slice(at) : String(text));
}

/* --- layout: lines of { name, value, depth, part } --- */

function layXml(text)
{
	const lines = [];
	let depth = 0;

	for (const tag of text.match(/<[^>]*>|[^<]+/g) || []) {
		const last = lines[lines.length - 1];

		if (!tag.trim())
			continue;
		if (tag.startsWith("</")) {
			depth = Math.max(0, depth - 1);
			if (last && last.isOpen) {
				last.value += tag;
				last.isOpen = false;
				continue;
			}
		} else if (!tag.startsWith("<") && last && last.isOpen) {
			last.value += tag.trim();
			continue;
		}
		if (last)
			last.isOpen = false;
		const opens = /^<[^/?!]/.test(tag) && !tag.endsWith("/>");

		lines.push({ part: "body", value: tag.trim(), depth,
			     isOpen: opens });
		depth += opens ? 1 : 0;
	}

	return lines;
}

function layBody(body)
{
	const start = body.trimStart();

	if (start.startsWith("{") || start.startsWith("[")) {
		try {
			return JSON.stringify(JSON.parse(body), null, 1)
				.split("\n").map(l => ({
					part: "body", value: l.trim(),
					depth: l.length - l.trimStart().length
				}));
		} catch { /* as it came, then */ }
	}
	if (start.startsWith("<"))
		return layXml(body);

	return body.split(/\r?\n/).map(value => ({ part: "body", value,
						   depth: 0 }));
}

function layText(text)
{
	const end = text.search(/\r?\n\r?\n/);
	const head = (end < 0 ? text : text.slice(0, end)).split(/\r?\n/);
	const body = end < 0 ? "" : text.slice(end).replace(/^(\r?\n){2}/, "");
	const lines = [{ part: "first", value: head[0], depth: 0 }];

	for (const line of head.slice(1)) {
		const colon = line.indexOf(":");

		if (colon > 0)
			lines.push({ part: "header", depth: 0,
				     name: line.slice(0, colon),
				     value: line.slice(colon + 1).trim() });
		else
			lines.push({ part: "header", depth: 0, name: "",
				     value: line });
	}
	if (!body)
		return lines;

	return [...lines, { part: "blank", value: "", depth: 0 },
		...layBody(body)];
}

function layAvps(avps, depth)
{
	const lines = [];

	for (const avp of avps) {
		const name = avp.name || "AVP " + avp.code +
			(avp.vendor ? " (" + avp.vendor + ")" : "");

		if (avp.group) {
			lines.push({ part: "header", name, value: "", depth });
			lines.push(...layAvps(avp.group, depth + 1));
		} else if (/^\s*</.test(avp.value)) {
			lines.push({ part: "header", name, value: "", depth });
			for (const line of layXml(avp.value))
				lines.push({ ...line,
					     depth: line.depth + depth + 1 });
		} else {
			lines.push({ part: "header", name, depth,
				     value: String(avp.value) });
		}
	}

	return lines;
}

function layOut(item)
{
	if (!item.avps)
		return layText(textOfItem(item));

	return [{ part: "first", value: item.entry.summary, depth: 0 },
		...layAvps(item.avps, 0)];
}

/* --- the message before it in the same exchange --- */

function keysOf(item)
{
	if (item.keys)
		return item.keys;

	const text = textOfItem(item);
	const field = name => {
		const hit = new RegExp("^(?:" + name + ")[ \\t]*:[ \\t]*(.*?)\\r?$",
				       "im").exec(text);

		return hit ? hit[1] : "";
	};
	const first = text.split(/\r?\n/, 1)[0];

	if (item.wire === "SIP")
		item.keys = { call: field("call-id|i"), cseq: field("cseq"),
			      kind: first.startsWith("SIP/2.0") ?
				first.split(" ")[1] : first.split(" ")[0] };
	else
		item.keys = { call: item.entry.impu || "", cseq: "",
			      kind: item.entry.summary };

	return item.keys;
}

function isBase(item, other, sameHop)
{
	const a = keysOf(item), b = keysOf(other);

	if (item.wire !== other.wire || a.kind !== b.kind || a.call !== b.call)
		return false;
	if (sameHop)
		return item.entry.from === other.entry.from &&
			item.entry.to === other.entry.to;

	return item.wire === "SIP" && a.cseq === b.cseq;
}

/* The same message one hop earlier; or else the last of its kind between the
 * same two, which for an answered challenge is the one without the answer */
function baseOf(items, item)
{
	if ((item.wire !== "SIP" && item.wire !== "Cx") || !keysOf(item).call)
		return null;
	for (const sameHop of [false, true])
		for (let i = item.n - 1; i >= 0; i--)
			if (isBase(item, items[i], sameHop))
				return items[i];

	return null;
}

/* Marks lines as "add" or "change" (then with the old value) and gives those
 * of the base that are gone */
function compareLines(lines, base)
{
	const key = l => (l.part === "body" ? "\0" : l.name || "").toLowerCase() +
		"\0" + l.depth;
	const left = new Map();

	for (const line of base)
		left.set(key(line), [...left.get(key(line)) || [], line]);
	const take = (line, same) => {
		const list = left.get(key(line)) || [];
		const i = same ? list.findIndex(l => l.value === line.value) :
			list.length - 1;

		return i < 0 ? null : list.splice(i, 1)[0];
	};
	const fresh = lines.filter(line => !take(line, true));

	for (const line of fresh) {
		const old = line.part === "body" ? null : take(line, false);

		line.mark = old ? "change" : "add";
		line.old = old && old.value;
	}

	return [...left.values()].flat().filter(l => l.part !== "blank" &&
						 l.part !== "first");
}

/* --- drawing --- */

function putChanged(node, line)
{
	const split = text => text.split(/([;, ="]+)/);
	const old = new Set(split(line.old));

	for (const word of split(line.value)) {
		if (old.has(word) || !word) {
			putText(node, word);
			continue;
		}
		const mark = make("mark");

		putText(mark, word);
		node.append(mark);
	}
}

function lineNode(line)
{
	const node = make("div", { class: line.mark || line.part });

	node.classList.toggle("first", line.part === "first");
	node.style.marginLeft = line.depth * 14 + "px";
	if (line.mark)
		node.append(make("span", { class: "soft" },
			line.mark === "add" ? "+ " : line.mark === "gone" ?
				"− " : "± "));
	if (line.name) {
		const name = make("span", { class: "name" });

		putText(name, line.name);
		node.append(name, ": ");
	}
	if (line.mark === "change")
		putChanged(node, line);
	else
		putText(node, line.value);

	return node;
}

function showMessage(box, items, item)
{
	const raw = make("div", { class: "raw" });

	box.replaceChildren();
	if (item.wire === "event") {
		showFields(box, item.entry);
		return;
	}
	const e = item.entry;
	const base = baseOf(items, item);
	const lines = layOut(item);
	const gone = base ? compareLines(lines, layOut(base)) : [];

	box.append(make("p", { class: "soft" }, e.src + " → " + e.dst + ", " +
			e.transport));
	if (e.lost)
		box.append(make("p", { class: "fail" }, word("lost")));
	if (e.retransmission_of !== undefined)
		box.append(make("p", { class: "fail" }, word("again") + " #" +
				e.retransmission_of));
	if (base)
		box.append(make("p", { class: "soft" }, word("compared") + " #" +
				base.n + " " + base.ids + " " +
				actorName(base.entry.from) + " → " +
				actorName(base.entry.to) + " (+ " +
				word("added") + ", ± " + word("changed") +
				", − " + word("gone") + ")"));
	for (const line of lines)
		raw.append(lineNode(line));
	for (const line of gone)
		raw.append(lineNode({ ...line, mark: "gone" }));
	box.append(raw);
	if (e.hex && item.avps)
		box.append(rawHex(e.hex));
}

function rawHex(hex)
{
	const details = make("details");
	const pre = make("div", { class: "raw" });

	details.append(make("summary", {}, word("raw")), pre);
	for (let i = 0; i < hex.length; i += 32)
		pre.append(make("div", {}, (i / 2).toString(16)
			.padStart(4, "0") + "  " +
			hex.slice(i, i + 32).replace(/(..)/g, "$1 ")));

	return details;
}

function showFields(box, e)
{
	const own = new Set(["kind", "n", "t_us", "steps"]);
	const table = make("table", { "aria-label": word("message") });

	for (const key of Object.keys(e).filter(k => !own.has(k))) {
		const row = table.insertRow();

		row.append(make("th", { scope: "row" }, key));
		putText(row.insertCell(), textOf(e[key]));
	}
	box.append(make("p", { class: "soft" }, word("noraw")), table);
}

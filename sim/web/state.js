/* What each actor knows after a step: from the named events alone */
function newState()
{
	return {
		at: -1, counts: null, size: 0, hasTwo: false, uris: new Map(),
		bindings: new Map(), pcscf: new Map(), scscf: new Map(),
		hss: new Map(), memory: new Map(), calls: new Map(), cdrs: []
	};
}

function uriOf(state, uri)
{
	if (!state.uris.has(uri))
		state.uris.set(uri, { state: "idle", lease: "", number: "" });

	return state.uris.get(uri);
}

function memoryOf(state, number)
{
	if (!state.memory.has(number))
		state.memory.set(number, { state: "logged-out", keeps: "" });

	return state.memory.get(number);
}

const ON_EVENT = {
	"platform.pool-imported": (s, e) => {
		s.counts = e.counts;
		s.size = e.size;
	},
	"lease.state": (s, e) => {
		const uri = uriOf(s, e.uri);

		uri.state = e.to;
		uri.lease = e.lease_id;
		if (e.to === "idle")
			uri.lease = uri.number = "";
		s.counts = e.counts || s.counts;
	},
	"as.bound": (s, e) => {
		uriOf(s, e.uri).number = e.number;
		s.bindings.set(e.number, {
			as: e.actor, uri: e.uri, lease: e.lease_id,
			state: "bound"
		});
	},
	"as.unbound": (s, e) => s.bindings.delete(e.number),
	"scscf.registration": (s, e, impu) => s.scscf.set(impu, e.to),
	"pcscf.registration": (s, e, impu) => s.pcscf.set(impu, e.to),
	"hss.registration-state": (s, e, impu) => s.hss.set(impu, e.to),
	"ue.leased": (s, e) => { memoryOf(s, e.number).keeps = e.uri; },
	"ue.wiped": (s, e) => { memoryOf(s, e.number).keeps = ""; },
	"ue.call": (s, e) => {
		s.calls.set(e.call_id || e.number, [e.number, e.state,
						    e.peer || ""]);
	}
};

const ON_FSM = {
	"terminal.ue": (s, e) => { memoryOf(s, e.id).state = e.to; },
	"as.binding": (s, e) => {
		const binding = s.bindings.get(e.id);

		if (binding)
			binding.state = e.to;
	}
};

function applyEvent(state, item)
{
	const e = item.entry;
	const on = e.name === "fsm" ? ON_FSM[e.machine] : ON_EVENT[e.name];

	state.hasTwo = state.hasTwo || e.actor === "appserver2";
	if (Object.hasOwn(ON_EVENT, e.name) ||
	    (e.name === "fsm" && Object.hasOwn(ON_FSM, e.machine)))
		on(state, e, e.impu || e.id || "");
	else if (/(^|[.-])cdr($|[.-])/.test(e.name))
		state.cdrs.push(e);
}

let known = newState();

/* The state after item `upto` and all before it */
function stateAt(items, upto)
{
	if (upto < known.at || known.items !== items)
		known = newState();
	known.items = items;
	for (let i = known.at + 1; i <= upto; i++)
		if (items[i].wire === "event")
			applyEvent(known, items[i]);
	known.at = upto;

	return known;
}

function stateTables(s)
{
	const own = new Set(["kind", "actor", "name", "n", "t_us", "steps"]);
	const uris = [...s.uris].map(([uri, u]) =>
		[uri, u.state, u.number, u.lease]);
	const rest = s.size - uris.length;
	const at = b => s.hasTwo ? [actorName(b.as)] : []; /* which AS */

	if (rest > 0)
		uris.push(["+ " + rest + " " + word("notseen"), "idle", "", ""]);

	return [
		["pool", s.counts, ["uri", "state", "holder", "leaseid"], uris],
		["bindings", null, [...(s.hasTwo ? ["as"] : []), "number",
				    "uri", "leaseid", "state"],
			[...s.bindings].map(([n, b]) =>
				[...at(b), n, b.uri, b.lease, b.state])],
		["memory", null, ["number", "state", "keeps"],
			[...s.memory].map(([n, m]) =>
				[n, m.state, m.keeps || word("empty")])],
		["scscf", null, ["uri", "state"], [...s.scscf]],
		["hss", null, ["uri", "state"], [...s.hss]],
		["calls", null, ["number", "state", "to"],
			[...s.calls.values()]],
		["cdrs", null, ["cdr"], s.cdrs.map(e =>
			[Object.keys(e).filter(k => !own.has(k))
				.map(k => k + "=" + textOf(e[k])).join(" ")])],
		["bill", null, ["number", "billcalls", "answered", "seconds"],
			billOf(s.cdrs)]
	];
}

/* What each real number pays: of a call through two AS the callee's record
 * stands beside the caller's, who pays */
function billOf(cdrs)
{
	const rows = new Map();

	for (const e of cdrs) {
		const who = e.number || e.uri;

		if (!who || e.role === "terminating")
			continue;
		const row = rows.get(who) || [0, 0, 0];

		row[0]++;
		if (e.answer > 0) {
			row[1]++;
			row[2] += e.duration_ms || 0;
		}
		rows.set(who, row);
	}

	return [...rows].sort().map(([who, [calls, answered, ms]]) =>
		[who, calls, answered, (ms / 1000).toFixed(3)]);
}

function textOf(value)
{
	return value !== null && typeof value === "object" ?
		JSON.stringify(value) : String(value);
}

function makeTable(title, heads, rows, before)
{
	const table = make("table", { "aria-label": title });
	const head = table.createTHead().insertRow();

	for (const name of heads)
		head.append(make("th", { scope: "col" }, word(name)));
	for (const row of rows) {
		const tr = table.insertRow();
		const isNew = before && !before.has(JSON.stringify(row));

		for (const value of row) {
			const td = tr.insertCell();

			putText(td, textOf(value));
			td.classList.toggle("new", isNew);
		}
	}

	return table;
}

/* The tables; a row that the last step has changed is marked */
function showState(box, items, upto, previous)
{
	const before = previous === null ? null :
		stateTables(stateAt(items, previous)).map(t =>
			new Set(t[3].map(r => JSON.stringify(r))));
	const now = stateAt(items, upto);

	box.replaceChildren();
	stateTables(now).forEach(([key, counts, heads, rows], i) => {
		box.append(make("h3", {}, word(key)));
		if (counts) {
			const chips = make("div", { class: "chips" });

			for (const name of Object.keys(counts))
				chips.append(make("span", {},
						  name + " " + counts[name]));
			box.append(chips);
		}
		if (rows.length)
			box.append(makeTable(word(key), heads, rows,
					     before && before[i]));
		else
			box.append(make("div", { class: "soft" },
					word("nonehere")));
	});
}

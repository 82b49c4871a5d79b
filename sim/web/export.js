/* The ladder as it is filtered now, as a picture or as text */
const HEAD = 34, PNG_MAX = 16000;

function pictureOf(page)
{
	const width = Math.max(900, page.view.width);
	const view = { ...layColumns(page.columns, width, 118) };
	const height = HEAD + page.shown.length * ROW + 8;
	const svg = shape("svg", { xmlns: SVG, width, height,
		viewBox: "0 0 " + width + " " + height,
		"font-family": "system-ui, sans-serif" });
	const text = (x, y, string, more) => svg.append(shape("text", { x, y,
		"font-size": 12, fill: colours["--fg"], ...more }, string));

	svg.append(shape("title", {}, page.data.name),
		   shape("rect", { width, height, fill: colours["--bg"] }));
	for (const [actor, x] of view.x)
		text(x, 18, plain(actorName(actor)), { "font-weight": 600,
			"text-anchor": "middle" });
	page.shown.forEach((item, i) => {
		const isFuture = page.cursor !== null && item.n > page.cursor;
		const g = drawEntry(item, view, isFuture, false);

		g.setAttribute("transform", "translate(0 " + (HEAD + i * ROW) +
			       ")");
		svg.append(g);
		text(56, HEAD + i * ROW + 18, (item.entry.t_us / 1000)
			.toFixed(1), { "text-anchor": "end" });
		text(64, HEAD + i * ROW + 18, item.ids, { "font-weight": 600,
			"font-size": 11 });
	});

	return { width, height, markup: new XMLSerializer()
		.serializeToString(svg) };
}

function textLadder(page)
{
	const lines = page.shown.map(item => {
		const who = ends(item).map(columnOf).map(a => actorName(a));

		return [(item.entry.t_us / 1000).toFixed(3).padStart(10),
			item.ids.padEnd(10), who.join(item.wire === "event" ?
				"" : " → ").padEnd(24),
			item.wire.padEnd(5), labelOf(item)].join(" ").trimEnd();
	});

	return lines.join("\n") + "\n";
}

function save(blob, name)
{
	const link = make("a", { download: name,
				 href: URL.createObjectURL(blob) });

	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function exportAs(page, kind)
{
	const name = page.data.name + "." + kind;

	if (kind === "txt") {
		save(new Blob([textLadder(page)], { type: "text/plain" }), name);
		return;
	}

	const picture = pictureOf(page);

	if (kind === "svg") {
		save(new Blob([picture.markup], { type: "image/svg+xml" }), name);
		return;
	}

	/* as sharp as a canvas may be high */
	const scale = Math.min(2, PNG_MAX / picture.height);
	const image = new Image();

	image.onload = () => {
		const canvas = make("canvas", {
			width: Math.ceil(picture.width * scale),
			height: Math.ceil(picture.height * scale) });
		const context = canvas.getContext("2d");

		context.scale(scale, scale);
		context.drawImage(image, 0, 0);
		canvas.toBlob(blob => save(blob, name), "image/png");
	};
	image.src = "data:image/svg+xml;charset=utf-8," +
		encodeURIComponent(picture.markup);
}

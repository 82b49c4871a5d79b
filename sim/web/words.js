/* What the page says, in both languages */
const WORDS = {
	en: {
		theme: "Light/dark", help: "Keys", first: "To the start",
		back: "Step back", play: "Play", next: "Step forward",
		last: "To the end", speed: "Speed", jump: "Go to",
		filters: "Filters, views, export", columns: "Columns",
		collapse: "CSCFs and HSS as one “IMS” (Fig. 4)",
		viewof: "As seen by", everyone: "everyone", actors: "Actors",
		protocols: "Protocols", about: "About", lease: "Lease or call",
		any: "all", inner: "inner workings too", export: "Export",
		text: "Text", capture: "capture.pcapng",
		keys: "Keys", close: "Close", ladder: "Ladder",
		messages: "Messages, in order", stepping: "Stepping",
		message: "Message", state: "State", time: "ms", step: "step",
		whole: "The whole run",
		wholetext: "Everything has happened. Step from the start with → or “Step forward”; click an arrow to see its message.",
		nothing: "Nothing yet", nostep: "This is no step of the patent.",
		paragraph: "Patent, paragraph", clause: "Standard",
		inside: "inside", lost: "lost: it never arrived",
		again: "sent again, the same bytes: retransmission of",
		fault: "a fault that the scenario asked for",
		compared: "Marked: what differs from", gone: "gone since then",
		changed: "changed", added: "new",
		raw: "As it came", laid: "Laid out",
		noraw: "An event inside an actor: no message.",
		pool: "Pool at the platform", uri: "SIP-URI", holder: "Real number",
		leaseid: "Lease", bindings: "Bindings at the AS", as: "AS",
		scscf: "Registrations at the S-CSCF",
		hss: "Registrations at the HSS", memory: "Terminals’ memory",
		number: "Real number", keeps: "Keeps", cdrs: "Charging records",
		cdr: "Record", nonehere: "none", empty: "nothing",
		notseen: "more, not used yet", calls: "Calls",
		of: "of", nomatch: "No message passes the filters.",
		notfound: "no such step in this run", final: "at the end",
		asof: "after", live: "live", from: "from", to: "to", at: "at",
		livenext: "Let it act", liveuntil: "Run to",
		liverun: "Run to the end", waiting: "waits for you:",
		running: "running", ended: "ended",
		legendsip: "SIP", legendcx: "Diameter Cx", legendhttps: "HTTPS",
		legendsoap: "SOAP", legendevent: "inside an actor",
		legendagain: "sent again", legendlost: "lost",
		internal: "internal", call: "call", malformed: "malformed",
		k_next: "step forward", k_back: "step back",
		k_step: "next, previous step of the patent",
		k_ends: "start, end", k_play: "play, stop",
		k_jump: "go to a step", k_open: "read the message",
		k_ladder: "back to the ladder", k_lang: "English, Chinese",
		k_ims: "CSCFs and HSS as one, or each",
		k_help: "this list"
	},
	zh: {
		theme: "浅色/深色", help: "按键", first: "到开头", back: "后退一步",
		play: "播放", next: "前进一步", last: "到结尾", speed: "速度",
		jump: "跳到", filters: "筛选、视图、导出", columns: "列",
		collapse: "CSCF 与 HSS 合为一列“IMS”（图 4）",
		viewof: "视角", everyone: "全部", actors: "网元",
		protocols: "协议", about: "范围", lease: "租用或呼叫", any: "全部",
		inner: "显示内部细节", export: "导出", text: "文本",
		capture: "capture.pcapng", keys: "按键", close: "关闭",
		ladder: "时序图", messages: "按时间排列的消息", stepping: "步进",
		message: "消息", state: "状态", time: "毫秒", step: "步骤",
		whole: "整次运行",
		wholetext: "全部已经发生。按 → 或“前进一步”从头开始步进；点击箭头查看消息内容。",
		nothing: "尚未发生", nostep: "不是专利中的步骤。",
		paragraph: "专利段落", clause: "标准条款", inside: "内部",
		lost: "丢失：未到达对端", again: "重传，内容相同，原消息为",
		fault: "场景设定的故障", compared: "标出与此消息的差别：",
		gone: "已不再出现", changed: "有变化", added: "新增", raw: "原始内容",
		laid: "按格式排列", noraw: "网元内部事件，没有消息。",
		pool: "管理平台的号码池", uri: "SIP-URI", holder: "真实号码",
		leaseid: "租用", bindings: "应用服务器的绑定", as: "应用服务器",
		scscf: "S-CSCF 的注册", hss: "HSS 的注册", memory: "终端内存",
		number: "真实号码", keeps: "保存", cdrs: "话单", cdr: "记录",
		nonehere: "无", empty: "空", notseen: "个尚未使用", calls: "呼叫",
		of: "/", nomatch: "没有消息符合筛选条件。",
		notfound: "本次运行没有这个步骤", final: "结束时", asof: "此步之后",
		live: "实时", from: "自", to: "至", at: "于",
		livenext: "放行", liveuntil: "运行到", liverun: "运行到结束",
		waiting: "等待放行：", running: "运行中", ended: "已结束",
		legendsip: "SIP", legendcx: "Diameter Cx", legendhttps: "HTTPS",
		legendsoap: "SOAP", legendevent: "网元内部", legendagain: "重传",
		legendlost: "丢失", internal: "内部", call: "呼叫",
		malformed: "格式错误", k_next: "前进一步", k_back: "后退一步",
		k_step: "下一个、上一个专利步骤", k_ends: "开头、结尾",
		k_play: "播放、停止", k_jump: "跳到某个步骤", k_open: "阅读消息",
		k_ladder: "回到时序图", k_lang: "英文、中文",
		k_ims: "CSCF 与 HSS 合并或展开", k_help: "本列表"
	}
};

const ACTORS = {
	terminal: ["terminal", "UE", "用户终端"],
	pcscf: ["P-CSCF", "P", "P-CSCF"], icscf: ["I-CSCF", "I", "I-CSCF"],
	scscf: ["S-CSCF", "S", "S-CSCF"], hss: ["HSS", "HSS", "HSS"],
	IMS: ["IMS", "IMS", "IMS 网络"],
	appserver: ["AS", "AS", "应用服务器"],
	appserver2: ["AS 2", "AS2", "应用服务器 2"],
	platform: ["platform", "PLAT", "管理平台"],
	boss: ["BOSS", "BOSS", "客服系统"]
};

let lang = "en";

function word(key)
{
	return WORDS[lang][key] || key;
}

function actorName(actor, brief)
{
	const names = ACTORS[actor];

	if (!names)
		return actor;

	return brief ? names[1] : names[lang === "zh" ? 2 : 0];
}

# sipshare: an IMS testbed that lends SIP-URIs.
#
# make run        build, play scenarios/patent.lua, show ladder and verdict
# make test       build, pass every test
# make test-unit  unit tests only: no network set-up, seconds
# make test-flow  flow tests over the real processes
# make deps       install what is missing (Debian packages)
# make lint       layers, step ids, format, clang-tidy, cppcheck
# make fuzz       each parser with hostile input (FUZZ_SECONDS=60 each)
# make layers format format-check cover fsm steps ladder install clean
#
# SAN=address,undefined builds beside the plain variant; WERROR=1 is CI's;
# V=1 shows the commands; CC=clang works too.

comma   := ,
B       := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

PKGS    := sofia-sip-ua libevent libevent_openssl openssl lua5.4 jansson \
	   libxml-2.0 sqlite3 libpq ncursesw libpcap
# asked once, when first needed: pkg-config itself may be missing until then
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS) \
	     | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
CHECK_LIBS = $(eval CHECK_LIBS := $$(shell pkg-config --libs check))$(CHECK_LIBS)

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wwrite-strings -Wformat=2 -Wvla -Wundef \
	   $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS  ?= -O2 -g
OWN     := -std=gnu11 -D_GNU_SOURCE -I. $(WARN) -MMD -MP -fno-common \
	   $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	   -fno-sanitize-recover=undefined)
# now: a lazily bound call saves the vector registers on the stack, and with them
# what memcpy() last moved: a password that was to be forgotten
LDFLAGS += -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN))

ROLES   := terminal appserver platform boss \
	   $(addprefix ims_core/,pcscf icscf scscf hss)
PARTS   := common $(ROLES) sim
SRC     := $(foreach p,$(PARTS),$(wildcard $(p)/*.c))
FAKE    := $(wildcard tests/fake/*.c)
obj      = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIBS    := $(foreach p,$(PARTS),$(B)/lib/$(subst /,-,$(p)).a) $(B)/lib/fake.a
BINS    := $(foreach r,$(ROLES),$(B)/bin/$(notdir $(r))) $(B)/bin/sipshare
TESTSRC := $(wildcard tests/unit/test_*.c) $(wildcard tests/flow/test_*.c)
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(TESTSRC))
HEADERS := $(wildcard $(addsuffix /*.h,$(PARTS)) tests/*/*.h)
FUZZSRC := $(wildcard tests/fuzz/fuzz_*.c)
ALLC    := $(SRC) $(FAKE) $(wildcard tests/unit/*.c tests/flow/*.c) $(FUZZSRC)

MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
.DELETE_ON_ERROR .SECONDARY:
.PHONY: all run test test-unit test-flow deps deps-test deps-lint deps-fuzz \
	layers lint format format-check cover fuzz fsm steps ladder install \
	clean help

all: $(BINS)

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

deps:; $(Q)mk/deps build
deps-test deps-lint deps-fuzz: deps-%: deps
	$(Q)mk/deps $*

run: all
	$(Q)$(B)/bin/sipshare run scenarios/patent.lua

test: all $(TESTS)
	$(Q)mk/run-tests $(B) $(sort $(TESTS))
test-unit: $(filter $(B)/tests/unit/%,$(TESTS))
	$(Q)mk/run-tests $(B) $(sort $^)
test-flow: all $(filter $(B)/tests/flow/%,$(TESTS))
	$(Q)mk/run-tests $(B) $(sort $(filter $(B)/tests/flow/%,$(TESTS)))

$(B)/obj/%.o: %.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OWN) $(PKG_CFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/obj/tests/%.o: tests/%.c | deps-test
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OWN) -DBUILD_DIR='"$(B)"' $(PKG_CFLAGS) $(CFLAGS) -c -o $@ $<

# .incbin: what the compiler's dependencies do not tell
$(B)/obj/ims_core/hss/hss_wsdl.o: ims_core/hss/hss.wsdl
$(B)/obj/sim/sim_web_files.o: $(wildcard sim/web/*)

define archive
$(B)/lib/$(subst /,-,$(1)).a: $(call obj,$(filter-out %/main.c,$(2)))
	$$(Q)mkdir -p $$(@D); rm -f $$@; $$(AR) crs $$@ $$^
endef
$(foreach p,$(PARTS),$(eval $(call archive,$(p),$(wildcard $(p)/*.c))))
$(eval $(call archive,fake,$(FAKE)))

define binary
$(B)/bin/$(1): $(B)/obj/$(2)/main.o $(B)/lib/$(subst /,-,$(2)).a $(B)/lib/common.a
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(PKG_LIBS) -lm
endef
$(foreach r,$(ROLES),$(eval $(call binary,$(notdir $(r)),$(r))))
$(eval $(call binary,sipshare,sim))

$(B)/tests/%: $(B)/obj/tests/%.o $(LIBS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group \
		$(PKG_LIBS) $(CHECK_LIBS) -lm

# the browser's driver, by the lock file
WEB     := tests/web/node_modules/.package-lock.json
$(WEB): tests/web/package-lock.json | deps-test
	$(Q)cd tests/web && npm ci --silent --ignore-scripts --no-audit
$(addprefix $(B)/tests/flow/,test_page test_live_page test_step): | $(WEB)
layers:; $(Q)mk/layers
steps: all
	$(Q)mk/steps $(B)/bin/sipshare
ladder: all
	$(Q)mk/readme-ladder $(B)/bin/sipshare
fsm: deps
	$(Q)mk/fsm $(wildcard $(addsuffix /*.c,common $(ROLES) sim))

# a file is looked at again when its object is newer: then it, or a header that
# it includes, has changed
$(B)/lint/%.c.ok: $(B)/obj/%.o .clang-tidy mk/lint | deps-lint
	$(Q)mkdir -p $(@D)
	$(Q)mk/lint $*.c && touch $@
$(B)/lint/%.h.ok: %.h $(HEADERS) mk/lint | deps-lint
	$(Q)mkdir -p $(@D)
	$(Q)mk/lint $*.h && touch $@
lint: layers format-check $(patsubst %,$(B)/lint/%.ok,$(ALLC) $(HEADERS)) all
	$(Q)mk/steps --check $(B)/bin/sipshare
	$(Q)mk/cppcheck $(PARTS) tests
format: deps-lint
	$(Q)clang-format -i $(ALLC) $(HEADERS)
format-check: deps-lint
	$(Q)clang-format --dry-run --Werror $(ALLC) $(HEADERS)
cover:; $(Q)mk/cover

FUZZ_SECONDS ?= 60
fuzz: deps-fuzz
	$(Q)mk/fuzz $(FUZZ_SECONDS) $(FUZZSRC:.c=)
$(FUZZSRC:%.c=$(B)/%): LDFLAGS += -fsanitize=fuzzer

PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/sipshare/scenarios
	install $(BINS) $(DESTDIR)$(PREFIX)/lib/sipshare
	install -m 644 scenarios/*.lua $(DESTDIR)$(PREFIX)/lib/sipshare/scenarios
	ln -sf ../lib/sipshare/sipshare $(DESTDIR)$(PREFIX)/bin/sipshare
clean:; rm -rf build

-include $(patsubst %.o,%.d,$(call obj,$(ALLC)))

/* A small water-card terminal for a lockstep seat, after docs/water.md; docs/lockstep.md explains the lines.
 *
 *     cc -std=c11 -O2 -o water_terminal water_terminal.c
 *     ./water_terminal [--defect no-intent]
 *
 * It restarts in place: `start` clears everything. With --defect no-intent it writes the card first and keeps
 * the result afterwards, which a power cut finds out. */

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000ull
enum { MISSES = 5, SENDS = 3, NEGATIVES = 3, SIGNAL_MIN = 5, RESULTS = 4, PLACES = 2, FRAME_MAX = 78 };
enum { HEARTBEAT = 0, ORDER = 1, UPLOAD = 2, FAULT = 6, TIERED = 16 };
enum mode { UNSET, STARTING, ALONE, TRYING, DEFECTIVE, SERVING };
enum timer { ANSWER, HEARTBEAT_DUE, AGAIN, NETWORK, PARTS, QUESTION, GAP, TIMERS };
enum phase { NO_VISIT, READING, ASKING, COMPARING, INTENT, WRITING };
enum about { NOTHING, LIFE, CARD, RESULT, FAULTY };

struct frame { size_t len; uint8_t bytes[FRAME_MAX]; };
struct kept { bool live, proven; uint16_t seq; struct frame frame; };
struct place { uint8_t body, verified, done; };
struct card { uint32_t block[7], sold; char number[11]; bool tiered; };
struct write { uint8_t block; uint32_t data; };

static const struct place place[PLACES] = {{104, 232, 240}, {168, 233, 248}};
static bool no_intent;

/* Everything that is lost with the power. */
static struct {
    uint64_t now, timer[TIMERS]; /* 0 is not set */
    enum mode mode;
    uint8_t nv[256], machine[5];
    bool has_nv, nv_busy, touch_after_nv, up, beat, resting;
    unsigned misses, signal, fault;
    uint64_t period;
    char server[24];
    uint16_t last_seq;
    struct kept kept[PLACES];
    struct frame results[RESULTS];
    size_t results_len;
    uint64_t negatives[NEGATIVES];
    uint8_t buffer[4096];
    size_t buffer_len;
    char heard[2][16];
    struct { enum about about; int kept; unsigned refusals; bool sent; struct frame frame; } request;
    struct {
        enum phase phase;
        struct card card;
        unsigned blocks, todo_len, credit;
        struct write todo[8];
        uint64_t order_low, base, volume, sold;
        char order[21], words[64];
        int kept;
        bool touched;
    } visit;
} t;

/* ---- Bytes and texts ---- */

static uint16_t crc16(const uint8_t *data, size_t len) {
    uint16_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint16_t)(data[i] << 8);
        for (int bit = 0; bit < 8; bit++) crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static bool crc_fits(const uint8_t *data, size_t len) {
    uint16_t crc = crc16(data, len);
    return data[len] == crc >> 8 && data[len + 1] == (crc & 0xFF);
}

static void put_crc(uint8_t *data, size_t len) {
    uint16_t crc = crc16(data, len);
    data[len] = (uint8_t)(crc >> 8);
    data[len + 1] = (uint8_t)crc;
}

static const char *volume_text(uint64_t hundredths) {
    static char text[4][24];
    static unsigned turn;
    char *at = text[turn++ % 4];
    unsigned long long whole = hundredths / 100;
    snprintf(at, sizeof text[0], "%llu.%02u", whole, (unsigned)(hundredths % 100));
    size_t len = strlen(at);
    while (at[len - 1] == '0') at[--len] = 0;
    if (at[len - 1] == '.') at[len - 1] = 0;
    return at;
}

static bool digits(const char *text, size_t min, size_t max) {
    size_t len = strspn(text, "0123456789");
    return text[len] == 0 && len >= min && len <= max;
}

static bool volume(char *text, uint64_t *hundredths) {
    char *point = strchr(text, '.');
    char part[3] = "00";
    if (point) {
        *point++ = 0;
        if (!digits(point, 1, 2)) return false;
        memcpy(part, point, strlen(point));
    }
    if (!digits(text, 1, 10)) return false;
    *hundredths = strtoull(text, NULL, 10) * 100 + strtoull(part, NULL, 10);
    return true;
}

/* Takes a text apart at each %; how many fields there are. */
static size_t fields(char *text, char *field[], size_t max) {
    size_t count = 0;
    for (char *next = text; next && count < max; count++) {
        field[count] = next;
        next = strchr(next, '%');
        if (next) *next++ = 0;
    }
    return count;
}

/* ---- What goes to the rig ---- */

static void put_hex(const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) printf("%02x", bytes[i]);
    fputs("\"}\n", stdout);
}

static void transmit(const char *port, const uint8_t *bytes, size_t len) {
    printf("{\"out\":\"tx\",\"port\":\"%s\",\"hex\":\"", port);
    put_hex(bytes, len);
}

static void line(const char *text) { printf("{\"out\":\"text\",\"line\":\"%s\"}\n", text); }

static void tell(const char *words) {
    printf("{\"out\":\"text\",\"line\":\"say %s\"}\n{\"out\":\"text\",\"line\":\"show %s\"}\n", words, words);
}

static void hang_up(void) { fputs("{\"out\":\"link\",\"port\":\"tcp\",\"up\":false}\n", stdout); }

static void store(unsigned at, const uint8_t *bytes, size_t len) {
    memcpy(t.nv + at, bytes, len);
    t.nv_busy = true;
    printf("{\"out\":\"nv_write\",\"addr\":%u,\"hex\":\"", at);
    put_hex(bytes, len);
}

static void set(enum timer timer, uint64_t span) { t.timer[timer] = t.now + span; }
static void stop(enum timer timer) { t.timer[timer] = 0; }

/* ---- Frames ---- */

static struct frame frame(uint8_t word, uint8_t kind, const char *content) {
    struct frame f = {0};
    size_t len = strlen(content);
    uint8_t head[7] = {0xAA, 0x55, word, kind, 0x01, 0, (uint8_t)(12 + len)};
    memcpy(f.bytes, head, 7);
    memcpy(f.bytes + 7, t.machine, 5);
    memcpy(f.bytes + 12, content, len);
    put_crc(f.bytes, 12 + len);
    f.len = 14 + len;
    return f;
}

static void content_of(const struct frame *f, char text[65]) {
    memcpy(text, f->bytes + 12, f->len - 14);
    text[f->len - 14] = 0;
}

static void hand_over(void) {
    if (t.request.about && t.up && !t.request.sent) {
        t.request.sent = true;
        transmit("tcp", t.request.frame.bytes, t.request.frame.len);
    }
}

static void close_request(void) {
    stop(ANSWER);
    t.request.about = NOTHING;
}

/* ---- Storage ---- */

static unsigned live(void) { return (unsigned)t.kept[0].live + (unsigned)t.kept[1].live; }

static void init_failed(const char *why) {
    char words[48];
    if (t.mode != UNSET) t.mode = ALONE;
    snprintf(words, sizeof words, "Init failed: %s", why);
    tell(words);
    set(AGAIN, 60 * SECOND);
}

static void load(void) {
    const uint8_t *nv = t.nv;
    t.mode = UNSET;
    if (!t.has_nv) return init_failed("storage");
    if (!crc_fits(nv, 94)) return init_failed("configuration");
    t.mode = STARTING;
    snprintf(t.server, sizeof t.server, "%u.%u.%u.%u:%u", nv[8], nv[9], nv[10], nv[11], nv[12] << 8 | nv[13]);
    memcpy(t.machine, nv + 14, 5);
    t.period = (uint64_t)(nv[19] << 8 | nv[20]) * SECOND;
    for (int i = 0; i < PLACES; i++) {
        const uint8_t *body = nv + place[i].body;
        if (body[2] < 14 || body[2] > 59 || !crc_fits(body, 3u + body[2])) continue;
        uint16_t seq = (uint16_t)(body[0] << 8 | body[1]);
        if (t.last_seq == 0 || (uint16_t)(seq - t.last_seq) < 0x8000) t.last_seq = seq;
        struct kept *kept = &t.kept[i];
        kept->seq = seq;
        kept->live = nv[place[i].done] != (seq & 0xFF);
        kept->proven = nv[place[i].verified] == (seq & 0xFF);
        kept->frame.len = body[2];
        memcpy(kept->frame.bytes, body + 3, body[2]);
    }
    printf("{\"out\":\"link\",\"port\":\"tcp\",\"up\":true,\"to\":\"%s\"}\n", t.server);
    set(NETWORK, MISSES * 20 * SECOND);
}

/* Keeps a result that is not proven yet; its place. */
static int keep(const struct frame *f) {
    uint16_t seq = t.last_seq == 0xFFFF ? 1 : (uint16_t)(t.last_seq + 1);
    int at = (seq - 1) % PLACES;
    if (t.kept[at].live) at = 1 - at;
    t.last_seq = seq;
    t.kept[at] = (struct kept){true, false, seq, *f};
    uint8_t body[64] = {(uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)f->len};
    memcpy(body + 3, f->bytes, f->len);
    put_crc(body, 3 + f->len);
    store(place[at].body, body, 5 + f->len);
    return at;
}

static void prove(int at) {
    /* Both marks share a page that a power cut may spoil, so that a doubt could become a claim. */
    const struct kept *other = &t.kept[1 - at];
    uint8_t mark = (uint8_t)t.kept[at].seq;
    t.kept[at].proven = true;
    if (!other->live || other->proven) store(place[at].verified, &mark, 1);
}

static void settle(int at) {
    uint8_t mark = (uint8_t)t.kept[at].seq;
    t.kept[at].live = false;
    store(place[at].done, &mark, 1);
}

static void add_result(const struct frame *f) {
    if (t.results_len < RESULTS) t.results[t.results_len++] = *f;
}

static void drop_result(void) {
    memmove(t.results, t.results + 1, --t.results_len * sizeof t.results[0]);
}

/* A result in RAM that nobody has confirmed is kept if there is a place for it. */
static void put_away(int kept) {
    if (kept < 0 && live() < PLACES) {
        struct frame f = t.results[0];
        drop_result();
        prove(keep(&f));
    }
}

/* ---- The card in the slot ---- */

static uint32_t check(const uint32_t *block, uint32_t three, uint32_t four, uint32_t five) {
    uint32_t words[5] = {block[1], block[2], three, four, five};
    uint8_t bytes[20];
    for (int i = 0; i < 20; i++) bytes[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
    return (uint32_t)crc16(bytes, 20) << 16;
}

static bool understand(struct card *card) {
    const uint32_t *block = card->block;
    snprintf(card->number, sizeof card->number, "%08X%02X", (unsigned)block[1], (unsigned)(block[2] >> 24));
    card->tiered = (block[2] & 0xFF) == 1;
    card->sold = block[3];
    bool torn = block[3] != ~block[4];
    if (torn && check(block, ~block[4], block[4], block[5]) == block[6]) card->sold = ~block[4];
    return digits(card->number, 10, 10);
}

/* Adds blocks 3 to 6 with this content to what is to be written: all of them, or those that differ. */
static void plan(uint32_t sold, uint32_t five, bool all) {
    const uint32_t *block = t.visit.card.block;
    uint32_t want[4] = {sold, ~sold, five, check(block, sold, ~sold, five)};
    for (uint8_t i = 0; i < 4; i++)
        if (all || block[3 + i] != want[i])
            t.visit.todo[t.visit.todo_len++] = (struct write){(uint8_t)(3 + i), want[i]};
}

static void end_visit(const char *words) {
    t.visit.phase = NO_VISIT;
    stop(QUESTION);
    tell(words);
}

static struct frame result(int result, uint64_t sold) {
    char content[65];
    const struct card *card = &t.visit.card;
    const char *volume = volume_text(sold);
    snprintf(content, sizeof content, "%s%%%s%%%d%%%s", card->number, t.visit.order, result, volume);
    return frame(0x00, card->tiered ? UPLOAD + TIERED : UPLOAD, content);
}

static void not_written(void) {
    struct frame f = result(0, t.visit.card.sold);
    add_result(&f);
    end_visit("Nothing was written: 0 T");
}

static void credit_failed(bool touched) {
    char words[64];
    if (!touched) {
        if (t.visit.kept >= 0) settle(t.visit.kept);
        return not_written();
    }
    if (t.visit.kept < 0) {
        struct frame f = result(2, t.visit.sold);
        add_result(&f);
    }
    const char *volume = volume_text(t.visit.volume);
    snprintf(words, sizeof words, "Please present the card again: %s T in doubt", volume);
    end_visit(words);
}

static void credited(void) {
    char words[48];
    if (t.visit.kept >= 0) {
        prove(t.visit.kept);
    } else {
        struct frame f = result(1, t.visit.sold);
        add_result(&f);
    }
    snprintf(words, sizeof words, "Thank you: %s T", volume_text(t.visit.volume));
    end_visit(words);
}

static void write_next(void) {
    char text[24];
    if (t.visit.todo_len == 0) {
        if (t.visit.credit) credited();
        else end_visit(t.visit.words);
        return;
    }
    t.visit.touched = t.visit.todo_len <= t.visit.credit;
    snprintf(text, sizeof text, "write %u %08X", t.visit.todo[0].block, (unsigned)t.visit.todo[0].data);
    line(text);
}

static void touch(void) {
    if (t.visit.phase == INTENT) {
        t.visit.phase = WRITING;
        write_next();
    }
}

static void read_card(enum phase phase) {
    char text[8];
    t.visit.phase = phase;
    t.visit.blocks = 0;
    for (int block = 1; block <= 6; block++) {
        snprintf(text, sizeof text, "read %d", block);
        line(text);
    }
}

static void prepare(void) {
    struct card *card = &t.visit.card;
    t.visit.sold = t.visit.base + t.visit.volume;
    if (t.visit.sold > UINT32_MAX) return end_visit("Please see the office: 0 T");
    uint32_t counter = (card->block[5] >> 16) + 1;
    t.visit.todo_len = 0;
    plan(card->sold, card->block[5], false);
    plan((uint32_t)t.visit.sold, counter << 16 | (uint32_t)(t.visit.order_low & 0xFFFF), true);
    t.visit.credit = 4;
    t.visit.touched = false;
    t.visit.phase = INTENT;
    if (no_intent) return touch();
    struct frame f = result(1, t.visit.sold);
    t.visit.kept = keep(&f);
    t.touch_after_nv = true;
}

static void card_read(bool complete) {
    struct card before = t.visit.card, read = before;
    bool sound = complete && understand(&read);
    if (t.visit.phase == READING) {
        if (!sound) return end_visit("Card cannot be read: 0 T");
        t.visit.card = read;
        t.visit.phase = ASKING;
        set(QUESTION, 45 * SECOND);
    } else if (!sound) {
        not_written();
    } else if (strcmp(read.number, before.number) != 0 || read.sold != t.visit.base) {
        end_visit("Another card than before, come again: 0 T");
    } else {
        t.visit.card = read;
        prepare();
    }
}

static void block_written(bool shown, uint32_t shows) {
    struct write *next = &t.visit.todo[0];
    if (shown && shows == next->data) {
        memmove(next, next + 1, --t.visit.todo_len * sizeof *next);
        write_next();
    } else if (!t.visit.credit) {
        end_visit("Please see the office: 0 T");
    } else {
        /* The first block as it was: nothing has happened to the card. */
        bool unharmed = shown && t.visit.todo_len == t.visit.credit && shows == t.visit.card.sold;
        credit_failed(t.visit.touched && !unharmed);
    }
}

static void card_line(const char *text) {
    unsigned number = 0, data = 0;
    bool block = sscanf(text, "block %u %X", &number, &data) == 2;
    char ask[16];
    if (t.visit.phase == READING || t.visit.phase == COMPARING) {
        if (block && number == t.visit.blocks + 1) {
            t.visit.card.block[number] = data;
            if (++t.visit.blocks < 6) return;
        }
        card_read(t.visit.blocks == 6);
    } else if (t.visit.phase == WRITING && strcmp(text, "done") == 0) {
        snprintf(ask, sizeof ask, "read %u", t.visit.todo[0].block);
        line(ask);
    } else if (t.visit.phase == WRITING) {
        block_written(block, data);
    }
}

static void card_came(void) {
    if (t.mode != SERVING) return;
    if (live() == PLACES || t.results_len >= RESULTS)
        return tell("Results wait for the server, come back later: 0 T");
    memset(&t.visit, 0, sizeof t.visit);
    t.visit.kept = -1;
    read_card(READING);
}

static void card_went(void) {
    if (t.visit.phase == NO_VISIT) return;
    if (t.request.about == CARD) close_request();
    if (t.visit.phase == COMPARING) not_written();
    else if (t.visit.credit) credit_failed(t.visit.touched);
    else end_visit("Card left too early: 0 T");
}

/* ---- The self test ---- */

static bool hears_badly(void) { return t.signal == 99 || t.signal < SIGNAL_MIN; }

static void try_parts(void) {
    t.mode = TRYING;
    memset(t.heard, 0, sizeof t.heard);
    transmit("voice", (const uint8_t *)"?\n", 2);
    transmit("display", (const uint8_t *)"?\n", 2);
    set(PARTS, SECOND);
}

static void judge_parts(void) {
    static const char *const name[] = {"", "storage", "voice", "display", "signal"};
    char words[40];
    stop(PARTS);
    t.fault = !strstr(t.heard[0], "READY") ? 2 : !strstr(t.heard[1], "READY") ? 3 : hears_badly() ? 4 : 0;
    if (t.fault) {
        t.mode = DEFECTIVE;
        snprintf(words, sizeof words, "Self test failed: %s", name[t.fault]);
        tell(words);
        set(AGAIN, 60 * SECOND);
    } else {
        t.mode = SERVING;
        stop(AGAIN);
        tell("Self test passed");
        line("ready");
    }
}

static void part_says(int part, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        char *heard = t.heard[part];
        size_t have = strlen(heard);
        if (have + 1 < sizeof t.heard[0] && bytes[i]) heard[have] = (char)bytes[i];
    }
    if (t.mode == TRYING && strstr(t.heard[0], "READY") && strstr(t.heard[1], "READY")) judge_parts();
}

/* ---- Requests: one at a time ---- */

static bool next_result(void) {
    int oldest = -1;
    if (t.results_len) {
        t.request.kept = -1;
        t.request.frame = t.results[0];
        return true;
    }
    for (int i = 0; i < PLACES; i++) {
        bool busy = t.visit.phase != NO_VISIT && t.visit.kept == i;
        bool older = oldest < 0 || (uint16_t)(t.kept[oldest].seq - t.kept[i].seq) < 0x8000;
        if (t.kept[i].live && !busy && older) oldest = i;
    }
    if (oldest < 0) return false;
    t.request.kept = oldest;
    t.request.frame = t.kept[oldest].frame;
    if (!t.kept[oldest].proven) {
        /* Nobody knows what became of the card. */
        char text[65], doubt[65], *field[4];
        content_of(&t.request.frame, text);
        if (fields(text, field, 4) != 4) return false;
        snprintf(doubt, sizeof doubt, "%.10s%%%.20s%%2%%%.20s", field[0], field[1], field[3]);
        t.request.frame = frame(0x00, t.request.frame.bytes[3], doubt);
    }
    return true;
}

static void ask_next(void) {
    static const char *const name[] = {"", "storage", "voice", "display", "signal"};
    char content[65];
    if (t.request.about || !t.up || t.nv_busy || t.mode == UNSET) return;
    bool working = t.mode != STARTING && t.mode != ALONE;
    if (working && t.visit.phase == ASKING) {
        const struct card *card = &t.visit.card;
        snprintf(content, sizeof content, "%s%%%s", card->number, volume_text(card->sold));
        t.request.about = CARD;
        t.request.frame = frame(0x00, card->tiered ? ORDER + TIERED : ORDER, content);
    } else if (working && !t.resting && next_result()) {
        t.request.about = RESULT;
    } else if (t.beat) {
        t.beat = false;
        t.request.about = LIFE;
        t.request.frame = frame(0x00, HEARTBEAT, "");
    } else if (working && t.fault) {
        snprintf(content, sizeof content, "%s%%%u", name[t.fault], t.fault);
        t.fault = 0;
        t.request.about = FAULTY;
        t.request.frame = frame(0x00, FAULT, content);
    } else {
        return;
    }
    t.request.refusals = 0;
    t.request.sent = false;
    set(ANSWER, 20 * SECOND);
    hand_over();
}

static void no_answer(void) {
    enum about about = t.request.about;
    close_request();
    if (about == LIFE && t.mode == STARTING) {
        if (++t.misses >= MISSES) init_failed("network");
        else t.beat = true;
        return;
    }
    if (about == LIFE && t.mode == ALONE) return;
    if (about == LIFE) t.beat = true;
    if (about == CARD) end_visit("No answer, please try again: 0 T");
    if (about == RESULT) put_away(t.request.kept);
    hang_up();
}

/* The server could not read what is out, or its answer was damaged on the way. */
static void refused(bool again) {
    if (++t.request.refusals < SENDS) {
        if (again) {
            t.request.sent = false;
            hand_over();
        }
        return;
    }
    enum about about = t.request.about;
    if (about == LIFE) return; /* It has missed when its time is over. */
    close_request();
    if (about == CARD) end_visit("No answer, please try again: 0 T");
    if (about == RESULT) {
        t.resting = true;
        put_away(t.request.kept);
    }
}

static void offered(char *field[]) {
    uint64_t amount, base;
    if (strcmp(field[0], t.visit.card.number) != 0 || !digits(field[1], 1, 20) || !digits(field[2], 1, 1)
        || !volume(field[3], &amount) || !volume(field[4], &base))
        return;
    close_request();
    stop(QUESTION);
    if (field[2][0] == '1') {
        strcpy(t.visit.order, field[1]);
        t.visit.order_low = 0;
        for (const char *digit = field[1]; *digit; digit++)
            t.visit.order_low = t.visit.order_low * 10 + (uint64_t)(*digit - '0');
        t.visit.volume = amount;
        t.visit.base = base;
        return read_card(COMPARING);
    }
    if (field[2][0] == '0') strcpy(t.visit.words, "Nothing is ordered: 0 T");
    else if (field[2][0] == '2')
        snprintf(t.visit.words, sizeof t.visit.words, "Already on the card: %s T", volume_text(amount));
    else strcpy(t.visit.words, "Please see the office: 0 T");
    t.visit.todo_len = 0;
    plan(t.visit.card.sold, t.visit.card.block[5], false);
    t.visit.phase = WRITING;
    write_next();
}

static void answered(char *content) {
    char asked[65], *field[5], *ours[4];
    size_t count = fields(content, field, 5);
    switch (t.request.about) {
    case LIFE:
        if (!digits(field[0], 14, 14)) return;
        close_request();
        t.resting = false;
        set(HEARTBEAT_DUE, t.period);
        if (t.mode == STARTING || t.mode == ALONE) {
            stop(AGAIN);
            stop(NETWORK);
            try_parts();
        }
        break;
    case CARD:
        if (count == 5) offered(field);
        break;
    case RESULT:
        content_of(&t.request.frame, asked);
        fields(asked, ours, 4);
        if (count != 2 || strcmp(field[0], ours[1]) != 0) return;
        if (!digits(field[1], 1, 1) || !strchr("123", field[1][0])) return;
        close_request();
        if (t.request.kept >= 0) settle(t.request.kept);
        else drop_result();
        break;
    default:
        close_request();
    }
}

/* ---- Frames in the stream ---- */

static void damaged(uint8_t kind) {
    uint64_t *oldest = &t.negatives[0];
    if (t.up && (*oldest == 0 || t.now - *oldest >= 20 * SECOND)) {
        memmove(oldest, oldest + 1, (NEGATIVES - 1) * sizeof *oldest);
        t.negatives[NEGATIVES - 1] = t.now;
        struct frame f = frame(0x10, kind, "");
        transmit("tcp", f.bytes, f.len);
    }
    if (t.request.about == RESULT) refused(false);
}

static void frame_came(const uint8_t *bytes, size_t len) {
    char content[65] = "";
    if (!t.request.about || bytes[3] != t.request.frame.bytes[3]) return;
    if (memcmp(bytes + 7, t.machine, 5) != 0) return;
    memcpy(content, bytes + 12, len - 14);
    if (bytes[2] == 0x10 && len == 14) refused(true);
    else if (bytes[2] == 0x11) answered(content);
}

static bool can_be_frame(const uint8_t *bytes, size_t len) {
    static const uint8_t head[] = {0xAA, 0x55};
    if (memcmp(bytes, head, len < 2 ? len : 2) != 0 || (len > 4 && bytes[4] != 0x01)) return false;
    unsigned length = len >= 7 ? (unsigned)(bytes[5] << 8 | bytes[6]) : 12;
    if (length < 12 || length > 76) return false;
    for (size_t i = 7; i < len && i < 12; i++)
        if (bytes[i] >> 4 > 9 || (bytes[i] & 15) > 9) return false;
    return true;
}

static void drop_bytes(size_t count) {
    t.buffer_len -= count;
    memmove(t.buffer, t.buffer + count, t.buffer_len);
}

static void scan(void) {
    while (t.buffer_len) {
        uint8_t whole[FRAME_MAX];
        if (!can_be_frame(t.buffer, t.buffer_len)) {
            drop_bytes(1);
            continue;
        }
        size_t len = t.buffer_len >= 7 ? (size_t)t.buffer[6] + 2 : FRAME_MAX;
        if (t.buffer_len < len) break;
        memcpy(whole, t.buffer, len);
        bool sound = crc_fits(whole, len - 2);
        drop_bytes(sound ? len : 1);
        if (sound) frame_came(whole, len);
        else damaged(whole[3]);
    }
    if (t.buffer_len) set(GAP, SECOND / 2);
    else stop(GAP);
}

/* ---- Time ---- */

static void again(void) {
    if (t.mode == UNSET) {
        load();
    } else if (t.mode == ALONE) {
        t.beat = true;
        if (!t.request.about) hang_up();
        set(AGAIN, 60 * SECOND);
    } else if (t.mode == DEFECTIVE) {
        set(AGAIN, 60 * SECOND);
        if (hears_badly() && t.up && !t.request.about) line("signal");
        else try_parts();
    }
}

static void expired(enum timer timer) {
    switch (timer) {
    case ANSWER: no_answer(); break;
    case HEARTBEAT_DUE: t.beat = true; break;
    case AGAIN: again(); break;
    case NETWORK:
        if (t.mode == STARTING && !t.request.about) init_failed("network");
        break;
    case PARTS: judge_parts(); break;
    case QUESTION:
        if (t.request.about != CARD) end_visit("No answer, please try again: 0 T");
        break;
    case GAP:
        while (t.buffer_len) {
            drop_bytes(1);
            scan();
        }
        break;
    case TIMERS: break;
    }
}

/* The first timer that is set; TIMERS if none is. */
static enum timer first(void) {
    enum timer found = TIMERS;
    for (enum timer timer = 0; timer < TIMERS; timer++)
        if (t.timer[timer] && (found == TIMERS || t.timer[timer] < t.timer[found])) found = timer;
    return found;
}

static void deadline(void) {
    uint64_t at[TIMERS];
    bool due[TIMERS] = {false};
    memcpy(at, t.timer, sizeof at);
    for (int i = 0; i < TIMERS; i++) due[i] = at[i] && at[i] <= t.now;
    for (enum timer timer = first(); timer != TIMERS && t.timer[timer] <= t.now; timer = first()) {
        stop(timer);
        if (due[timer]) expired(timer);
    }
}

/* ---- Turns ---- */

static void link_changed(bool up) {
    t.up = up;
    t.buffer_len = 0;
    stop(GAP);
    if (!up) {
        t.request.sent = false;
        return;
    }
    if ((t.mode == STARTING || t.mode == ALONE) && !t.request.about) {
        stop(NETWORK);
        t.beat = true;
    }
    if (t.mode == DEFECTIVE) try_parts();
    hand_over();
}

/* The value of a field, up to its end; the rig's own lines have no escapes in what this program reads. */
static const char *field_of(const char *json, const char *name, char *into, size_t max) {
    char key[16];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(json, key);
    size_t len = 0;
    if (at) {
        at += strlen(key);
        const char *end = *at == '"' ? "\"" : ",}";
        if (*at == '"') at++;
        len = strcspn(at, end);
        if (len >= max) len = max - 1;
        memcpy(into, at, len);
    }
    into[len] = 0;
    return into;
}

static size_t unhex(const char *text, uint8_t *bytes, size_t max) {
    size_t len = 0;
    for (; len < max && isxdigit((unsigned char)text[2 * len]); len++) {
        char pair[3] = {text[2 * len], text[2 * len + 1], 0};
        bytes[len] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return len;
}

static void received(const char *json) {
    static char hex[8192];
    static uint8_t bytes[4096];
    char port[12];
    field_of(json, "port", port, sizeof port);
    size_t len = unhex(field_of(json, "hex", hex, sizeof hex), bytes, sizeof bytes);
    if (strcmp(port, "tcp") == 0) {
        if (len > sizeof t.buffer - t.buffer_len) t.buffer_len = 0;
        memcpy(t.buffer + t.buffer_len, bytes, len);
        t.buffer_len += len;
        scan();
    } else {
        part_says(strcmp(port, "display") == 0, bytes, len);
    }
}

static void text_line(const char *json) {
    char text[64];
    field_of(json, "line", text, sizeof text);
    if (strncmp(text, "present", 7) == 0) card_came();
    else if (strcmp(text, "remove") == 0) card_went();
    else if (strncmp(text, "signal ", 7) == 0) t.signal = (unsigned)strtoul(text + 7, NULL, 10);
    else card_line(text);
}

static void take(const char *json) {
    static char hex[520];
    char kind[12], number[24];
    field_of(json, "in", kind, sizeof kind);
    uint64_t now = strtoull(field_of(json, "t_us", number, sizeof number), NULL, 10);
    if (strcmp(kind, "start") == 0) {
        memset(&t, 0, sizeof t);
        t.now = now;
        t.signal = 99;
        t.visit.kept = -1;
        t.has_nv = unhex(field_of(json, "nv", hex, sizeof hex), t.nv, sizeof t.nv) > 0;
        load();
        return;
    }
    t.now = now;
    if (strcmp(kind, "deadline") == 0) deadline();
    else if (strcmp(kind, "rx") == 0) received(json);
    else if (strcmp(kind, "text") == 0) text_line(json);
    else if (strcmp(kind, "link") == 0) link_changed(strstr(json, "\"up\":true") != NULL);
    else if (strcmp(kind, "nv_done") == 0) {
        bool go_on = t.touch_after_nv;
        t.nv_busy = t.touch_after_nv = false;
        if (go_on) touch();
    }
    ask_next();
}

int main(int argc, char **argv) {
    static char json[16384];
    no_intent = argc == 3 && strcmp(argv[1], "--defect") == 0 && strcmp(argv[2], "no-intent") == 0;
    while (fgets(json, sizeof json, stdin)) {
        take(json);
        enum timer next = first();
        if (next == TIMERS) puts("{\"wait_us\":null}");
        else {
            uint64_t at = t.timer[next];
            printf("{\"wait_us\":%llu}\n", (unsigned long long)(at > t.now ? at - t.now : 0));
        }
        fflush(stdout);
    }
    return 0;
}

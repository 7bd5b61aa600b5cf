#include "rule/formula.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/machine.h"
#include "rule/token.h"

/* Without code, it only counts. */
struct emitter {
        const struct pt_node *nodes;
        struct instruction *code;
        size_t count;
        uint32_t free_slot;
        uint32_t x;    /* the slot of x here */
        uint32_t held; /* the slot whose value `a` has, or SLOTS */
};

static void emit(struct emitter *e, uint32_t operation, uint32_t slot, uint64_t number)
{
        if (operation == LOAD_SLOT && slot == e->held)
                return;
        if (e->code)
                e->code[e->count] = (struct instruction){operation, slot, number};
        e->count++;
        e->held = operation == LOAD_SLOT || operation == STORE ? slot : SLOTS;
}

static bool is_leaf(const struct pt_node *node)
{
        return node->kind == PT_NODE_NUMBER || node->kind == PT_NODE_INPUT ||
               node->kind == PT_NODE_X;
}

/* Dividing is what costs most, and by far: a power of two does without. */
static void emit_number(struct emitter *e, uint32_t operation, uint64_t number)
{
        bool power = number && !(number & (number - 1));

        if (power && operation == REMAINDER_NUMBER)
                emit(e, AND_NUMBER, 0, number - 1);
        else if (power && operation == DIVIDE_NUMBER)
                emit(e, SHIFT_RIGHT_NUMBER, 0, (uint64_t)__builtin_ctzll(number));
        else
                emit(e, operation, 0, number);
}

/* An operation that comes in two forms, with a leaf as its operand. */
static void emit_leaf(struct emitter *e, uint32_t with_slot, uint32_t with_number,
                      const struct pt_node *leaf)
{
        if (leaf->kind == PT_NODE_NUMBER)
                emit_number(e, with_number, leaf->value);
        else
                emit(e, with_slot, leaf->kind == PT_NODE_X ? e->x : (uint32_t)leaf->value, 0);
}

static bool commutes(enum pt_node_kind kind)
{
        return kind == PT_NODE_OR || kind == PT_NODE_XOR || kind == PT_NODE_AND ||
               kind == PT_NODE_ADD || kind == PT_NODE_MULTIPLY;
}

static void emit_node(struct emitter *e, const struct pt_node *node);

static void emit_binary(struct emitter *e, const struct pt_node *node, uint32_t with_slot,
                        uint32_t with_number)
{
        const struct pt_node *left = &e->nodes[node->left];
        const struct pt_node *right = &e->nodes[node->right];

        if (is_leaf(right)) {
                emit_node(e, left);
                emit_leaf(e, with_slot, with_number, right);
        } else if (is_leaf(left) && commutes(node->kind)) {
                emit_node(e, right);
                emit_leaf(e, with_slot, with_number, left);
        } else {
                uint32_t slot;

                emit_node(e, right);
                slot = e->free_slot++;
                emit(e, STORE, slot, 0);
                emit_node(e, left);
                emit(e, with_slot, slot, 0);
                e->free_slot--;
        }
}

static void emit_repeat(struct emitter *e, const struct pt_node *node)
{
        uint32_t outer = e->x;

        emit_node(e, &e->nodes[node->left]);
        e->x = e->free_slot++;
        for (uint64_t i = 0; i < node->value; i++) {
                emit(e, STORE, e->x, 0);
                emit_node(e, &e->nodes[node->right]);
        }
        e->free_slot--;
        e->x = outer;
}

static void emit_node(struct emitter *e, const struct pt_node *node)
{
        switch (node->kind) {
        case PT_NODE_NUMBER:
        case PT_NODE_INPUT:
        case PT_NODE_X:
                emit_leaf(e, LOAD_SLOT, LOAD_NUMBER, node);
                break;
        case PT_NODE_REPEAT:
                emit_repeat(e, node);
                break;
#define X(name, value)                               \
        case PT_NODE_##name:                         \
                emit_node(e, &e->nodes[node->left]); \
                emit(e, name, 0, 0);                 \
                break;
                PT_UNARY_OPERATIONS(X)
#undef X
#define X(name, valid, value)                                     \
        case PT_NODE_##name:                                      \
                emit_binary(e, node, name##_SLOT, name##_NUMBER); \
                break;
                PT_BINARY_OPERATIONS(X)
#undef X
        }
}

static bool reads_slot(uint32_t operation)
{
        switch (operation) {
        case LOAD_SLOT:
#define X(name, valid, value) case name##_SLOT:
                PT_BINARY_OPERATIONS(X)
#undef X
                return true;
        default:
                return false;
        }
}

/* Drops what is stored and not read before the next store: most rounds take x from `a`. */
static void drop_dead_stores(struct instruction *code, size_t count)
{
        bool wanted[SLOTS] = {false};
        size_t kept = count;

        for (size_t i = count; i-- > 0;) {
                bool *slot = &wanted[code[i].slot];

                if (code[i].operation == STORE) {
                        if (!*slot)
                                continue;
                        *slot = false;
                } else if (reads_slot(code[i].operation)) {
                        *slot = true;
                }
                code[--kept] = code[i];
        }
        memmove(code, code + kept, (count - kept) * sizeof *code);
}

static size_t emit_tree(const struct pt_expression *tree, struct instruction *code)
{
        struct emitter e = {
                .nodes = tree->nodes, .code = code, .free_slot = PT_INPUTS, .held = SLOTS};

        emit_node(&e, &tree->nodes[tree->root]);
        emit(&e, END, 0, 0);
        return e.count;
}

static struct pt_formula *make(const struct pt_expression *tree, const char *text)
{
        size_t count = emit_tree(tree, NULL);
        struct pt_formula *formula = malloc(sizeof *formula + count * sizeof *formula->code);

        if (!formula)
                return NULL;
        emit_tree(tree, formula->code);
        drop_dead_stores(formula->code, count);
        formula->cost = tree->nodes[tree->root].cost;
        formula->text = strdup(text);
        return formula->text ? formula : pt_formula_free(formula);
}

int pt_formula_compile(const char *text, struct pt_formula **ret, struct pt_formula_error *error)
{
        struct pt_expression *tree = malloc(sizeof *tree);
        struct pt_formula *formula = NULL;
        int r;

        if (!tree)
                return -ENOMEM;
        r = pt_expression_parse(text, tree, error);
        if (r == 0)
                formula = make(tree, text);
        free(tree);
        if (r < 0)
                return r;
        if (!formula)
                return -ENOMEM;
        *ret = formula;
        return 0;
}

struct pt_formula *pt_formula_free(struct pt_formula *formula)
{
        if (formula)
                free(formula->text);
        free(formula);
        return NULL;
}

bool pt_formula_evaluate(const struct pt_formula *formula, uint32_t ipv4, uint64_t *ret)
{
        uint64_t slots[SLOTS];

        machine_inputs(slots, ipv4);
        return machine_run(formula->code, slots, 0, ret);
}

unsigned pt_formula_cost(const struct pt_formula *formula)
{
        return formula->cost;
}

struct span {
        const char *text;
        size_t length;
};

/* Numbers for what an address gives; all else as it stands in the text, however long. */
static struct span describe_token(const char *text, const struct pt_token *t, uint32_t ipv4,
                                  char room[16])
{
        const unsigned octets[4] = {ipv4 >> 24, ipv4 >> 16 & 0xff, ipv4 >> 8 & 0xff, ipv4 & 0xff};

        if (t->kind != PT_TOKEN_INPUT)
                return (struct span){text + t->at, t->length};
        if (t->value < 4)
                snprintf(room, 16, "%u", octets[t->value]);
        else
                snprintf(room, 16, "%u.%u.%u.%u", octets[0], octets[1], octets[2], octets[3]);
        return (struct span){room, strlen(room)};
}

const char *pt_formula_describe(const struct pt_formula *formula, uint32_t ipv4,
                                char ret[PT_FORMULA_TEXT])
{
        struct pt_token t = pt_token_read(formula->text, 0);
        size_t used = 0;

        for (; t.kind != PT_TOKEN_END; t = pt_token_read(formula->text, t.at + t.length)) {
                char room[16];
                const struct span piece = describe_token(formula->text, &t, ipv4, room);

                if (used + piece.length >= PT_FORMULA_TEXT)
                        break;
                memcpy(ret + used, piece.text, piece.length);
                used += piece.length;
        }
        ret[used] = '\0';
        return ret;
}

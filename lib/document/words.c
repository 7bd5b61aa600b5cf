#include "document/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SECOND INT64_C(1000000000)
#define MILLISECOND 1000000
#define DAY INT64_C(86400)

struct pt_words pt_words(char *text, size_t size)
{
        text[0] = '\0';
        return (struct pt_words){.text = text, .size = size};
}

void pt_words_say(struct pt_words *words, const char *format, ...)
{
        size_t left = words->size - words->length;
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(words->text + words->length, left, format, arguments);
        va_end(arguments);
        if (length < 0)
                return;
        if ((size_t)length < left) {
                words->length += (size_t)length;
                return;
        }
        words->length = words->size - 1;
        memcpy(words->text + words->length - 3, "...", 3);
}

void pt_words_say_name(struct pt_words *words, const struct pt_dns_name *name, size_t limit)
{
        char text[PT_DNS_NAME_TEXT];
        size_t length = pt_dns_name_format(name, text);

        if (length <= limit)
                pt_words_say(words, "%s", text);
        else
                pt_words_say(words, "%.*s...", (int)limit, text);
}

void pt_words_say_endpoint(struct pt_words *words, const struct pt_address *address, uint16_t port)
{
        char text[PT_ADDRESS_TEXT];

        pt_address_format(address, text);
        pt_words_say(words, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
}

/*
 * The civil date of a day since 1970, counted from the first of March of the year 0, so that the
 * leap day is the last of its year. The C library's gmtime_r() may open the time zone's file.
 */
static void date_of(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
        int64_t since = day + 719468; /* days from 0000-03-01 to 1970-01-01 */
        int64_t era = since / 146097; /* of 400 years */
        int64_t in_era = since % 146097;
        int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
        int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
        int64_t month = (5 * in_year + 2) / 153; /* 0 is March */

        *ret_day = (int)(in_year - (153 * month + 2) / 5 + 1);
        *ret_month = (int)(month < 10 ? month + 3 : month - 9);
        *ret_year = (int)(era * 400 + year + (month >= 10));
}

const char *pt_words_time(int64_t time, char ret[PT_WORDS_TIME])
{
        struct pt_words words = pt_words(ret, PT_WORDS_TIME);
        int64_t seconds = time / SECOND;
        int64_t left = seconds % DAY;
        int year, month, day;

        date_of(seconds / DAY, &year, &month, &day);
        pt_words_say(&words, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day,
                     (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60),
                     (int)(time % SECOND / 1000000));
        return ret;
}

/* Below a second three digits count: capture files know microseconds, and hosts are that fast. */
const char *pt_words_duration(int64_t nanoseconds, char ret[PT_WORDS_DURATION])
{
        int64_t left = nanoseconds < 0 ? -nanoseconds : nanoseconds;
        int64_t unit = 1; /* a power of ten, so large that three digits remain */
        int decimals = 6; /* of a millisecond, for this unit */
        int64_t rounded = (left + MILLISECOND / 2) / MILLISECOND;

        if (rounded >= 1000) {
                snprintf(ret, PT_WORDS_DURATION, "%" PRId64 ".%03d s", rounded / 1000,
                         (int)(rounded % 1000));
                return ret;
        }
        while ((left + unit / 2) / unit >= 1000) {
                unit *= 10;
                decimals--;
        }
        rounded = (left + unit / 2) / unit * unit;
        snprintf(ret, PT_WORDS_DURATION, "%.*f ms", left ? decimals : 0,
                 (double)rounded / MILLISECOND);
        return ret;
}

const char *pt_words_arithmetic(const struct pt_match *match, char ret[PT_WORDS_ARITHMETIC])
{
        const struct pt_rule *rule = match->rule;
        struct pt_words words = pt_words(ret, PT_WORDS_ARITHMETIC);
        char text[PT_FORMULA_TEXT], address[PT_ADDRESS_TEXT];
        struct pt_address calculated;
        uint32_t ipv4;
        uint16_t port;

        if (rule->port && pt_rule_port(rule, match->input, &port))
                pt_words_say(&words, "%s = %u", pt_formula_describe(rule->port, match->input, text),
                             port);
        if (rule->address && pt_rule_address(rule, match->input, &ipv4)) {
                calculated = pt_address_from_ipv4(ipv4);
                pt_words_say(&words, "%s%s = %s", words.length ? "; " : "",
                             pt_formula_describe(rule->address, match->input, text),
                             pt_address_format(&calculated, address));
        }
        return ret;
}

/* Numbers of the IANA registry "Domain Name System (DNS) Parameters". */
struct number {
        uint16_t number;
        const char *name;
};

static const struct number types[] = {
        {1, "A"},      {2, "NS"},      {5, "CNAME"},   {6, "SOA"},      {12, "PTR"},
        {13, "HINFO"}, {15, "MX"},     {16, "TXT"},    {17, "RP"},      {24, "SIG"},
        {25, "KEY"},   {28, "AAAA"},   {29, "LOC"},    {33, "SRV"},     {35, "NAPTR"},
        {37, "CERT"},  {39, "DNAME"},  {41, "OPT"},    {43, "DS"},      {44, "SSHFP"},
        {46, "RRSIG"}, {47, "NSEC"},   {48, "DNSKEY"}, {50, "NSEC3"},   {51, "NSEC3PARAM"},
        {52, "TLSA"},  {53, "SMIMEA"}, {59, "CDS"},    {60, "CDNSKEY"}, {61, "OPENPGPKEY"},
        {62, "CSYNC"}, {63, "ZONEMD"}, {64, "SVCB"},   {65, "HTTPS"},   {99, "SPF"},
        {249, "TKEY"}, {250, "TSIG"},  {251, "IXFR"},  {252, "AXFR"},   {255, "ANY"},
        {256, "URI"},  {257, "CAA"},
};

static const struct number classes[] = {
        {1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"},
};

static const struct number codes[] = {
        {0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
        {4, "NOTIMP"},  {5, "REFUSED"}, {6, "YXDOMAIN"}, {7, "YXRRSET"},
        {8, "NXRRSET"}, {9, "NOTAUTH"}, {10, "NOTZONE"}, {11, "DSOTYPENI"},
};

static const char *name_of(const struct number *list, size_t count, const char *other,
                           uint16_t number, char ret[PT_WORDS_DNS])
{
        for (size_t i = 0; i < count; i++)
                if (list[i].number == number)
                        return list[i].name;
        snprintf(ret, PT_WORDS_DNS, "%s%u", other, number);
        return ret;
}

const char *pt_words_dns_type(uint16_t type, char ret[PT_WORDS_DNS])
{
        return name_of(types, sizeof types / sizeof *types, "TYPE", type, ret);
}

const char *pt_words_dns_class(uint16_t class, char ret[PT_WORDS_DNS])
{
        return name_of(classes, sizeof classes / sizeof *classes, "CLASS", class, ret);
}

const char *pt_words_dns_code(uint16_t flags, char ret[PT_WORDS_DNS])
{
        return name_of(codes, sizeof codes / sizeof *codes, "RCODE", PT_DNS_RCODE(flags), ret);
}

const char *pt_words_relation(enum pt_relation relation)
{
        static const char *const names[PT_EXPECT_RELATIONS] = {
                [PT_EXPECT_SAME_ADDRESS] = "same_address",
                [PT_EXPECT_OTHER_ADDRESS] = "other_address",
                [PT_EXPECT_PAIR] = "pair",
                [PT_EXPECT_CALCULATED_ADDRESS] = "calculated_address",
        };

        return names[relation];
}

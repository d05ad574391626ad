/* SPDX-License-Identifier: MIT
 * hosts.c -- names and addresses, read as such
 */
#include "serve/hosts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ROOM = 256 };

int ki_host_is_loopback(const char *host)
{
    static const struct in6_addr one = IN6ADDR_LOOPBACK_INIT;
    struct in_addr four;
    struct in6_addr six;
    if (host == NULL || strcasecmp(host, "localhost") == 0) return 1;
    if (inet_pton(AF_INET, host, &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && memcmp(&six, &one, sizeof six) == 0;
}

/* Is what follows a name a port, or nothing? */
static int is_port(const char *s)
{
    if (s[0] == '\0') return 1;
    return s[0] == ':' && s[1] != '\0' && s[1 + strspn(s + 1, "0123456789")] == '\0';
}

static int split(const char *header, char *out)
{
    const int bracket = header[0] == '[';
    const size_t n = strcspn(header + bracket, bracket ? "]" : ":");
    const char *end = header + bracket + n;
    if (n == 0 || n >= ROOM || (bracket && *end++ != ']') || !is_port(end)) return 0;
    snprintf(out, ROOM, "%.*s", (int)n, header + bracket);
    return 1;
}

int ki_host_is_ours(const char *header, const json_t *names)
{
    char host[ROOM];
    if (!split(header, host)) return 0;
    if (ki_host_is_loopback(host)) return 1;
    for (size_t j = 0; j < json_array_size(names); j++)
        if (strcasecmp(json_string_value(json_array_get(names, j)), host) == 0) return 1;
    return 0;
}

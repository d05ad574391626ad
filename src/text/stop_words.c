/* SPDX-License-Identifier: MIT
 * stop_words.c -- the words that carry no topic, by language: articles, pronouns, prepositions, forms of to be and to have
 *
 * Written without accents and in byte order, which is how they are searched.  What an apostrophe parts off ("don't",
 * "l'amour") is among them.
 */
#include "text/language.h"

#include <stddef.h>

/* clang-format off */
static const char *const english[] = {
    "a", "about", "above", "after", "again", "against", "all", "also", "am", "an", "and", "any", "are", "aren", "as",
    "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "cannot",
    "could", "couldn", "d", "did", "didn", "do", "does", "doesn", "doing", "don", "down", "during", "each", "either",
    "else", "ever", "every", "few", "for", "from", "further", "get", "gets", "got", "had", "hadn", "has", "hasn",
    "have", "haven", "having", "he", "her", "here", "hers", "herself", "him", "himself", "his", "how", "i", "if",
    "in", "into", "is", "isn", "it", "its", "itself", "just", "ll", "m", "may", "me", "might", "more", "most", "much",
    "must", "mustn", "my", "myself", "neither", "no", "nor", "not", "of", "off", "on", "once", "one", "only", "onto",
    "or", "other", "our", "ours", "ourselves", "out", "over", "own", "per", "rather", "re", "s", "same", "shall",
    "shan", "she", "should", "shouldn", "since", "so", "some", "such", "t", "than", "that", "the", "their", "theirs",
    "them", "themselves", "then", "there", "these", "they", "this", "those", "though", "through", "to", "too",
    "under", "until", "up", "upon", "us", "ve", "very", "was", "wasn", "we", "were", "weren", "what", "when", "where",
    "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "won", "would",
    "wouldn", "you", "your", "yours", "yourself", "yourselves",
};

static const char *const german[] = {
    "ab", "aber", "alle", "allem", "allen", "aller", "alles", "als", "also", "am", "an", "ander", "andere", "anderem",
    "anderen", "anderer", "anderes", "auch", "auf", "aus", "bei", "beim", "bin", "bis", "bist", "da", "damit", "dann",
    "das", "dass", "dein", "deine", "deinem", "deinen", "deiner", "dem", "den", "denn", "der", "deren", "des",
    "dessen", "dich", "die", "dies", "diese", "diesem", "diesen", "dieser", "dieses", "dir", "doch", "dort", "du",
    "durch", "ein", "eine", "einem", "einen", "einer", "eines", "einige", "er", "es", "etwas", "euch", "euer", "eure",
    "fur", "gegen", "gewesen", "hab", "habe", "haben", "hat", "hatte", "hatten", "hier", "hin", "hinter", "ich",
    "ihm", "ihn", "ihnen", "ihr", "ihre", "ihrem", "ihren", "ihrer", "im", "in", "indem", "ins", "ist", "jede",
    "jedem", "jeden", "jeder", "jedes", "jene", "jenem", "jenen", "jener", "jenes", "jetzt", "kann", "kein", "keine",
    "keinem", "keinen", "keiner", "konnen", "konnte", "man", "manche", "mein", "meine", "meinem", "meinen", "meiner",
    "mich", "mir", "mit", "muss", "musste", "nach", "nicht", "nichts", "noch", "nun", "nur", "ob", "oder", "ohne",
    "sehr", "sein", "seine", "seinem", "seinen", "seiner", "seit", "sich", "sie", "sind", "so", "solche", "soll",
    "sollte", "sondern", "sonst", "uber", "um", "und", "uns", "unser", "unsere", "unter", "vom", "von", "vor",
    "wahrend", "war", "waren", "warst", "was", "weg", "weil", "weiter", "welche", "welchem", "welchen", "welcher",
    "wenn", "wer", "werde", "werden", "wie", "wieder", "will", "wir", "wird", "wirst", "wo", "wollen", "wollte",
    "wurde", "wurden", "zu", "zum", "zur", "zwar", "zwischen",
};

static const char *const french[] = {
    "a", "afin", "ai", "ainsi", "alors", "apres", "as", "au", "aucun", "aucune", "aussi", "autre", "autres", "aux",
    "avait", "avant", "avec", "avez", "avoir", "avons", "ayant", "c", "car", "ce", "ceci", "cela", "celle", "celles",
    "celui", "ces", "cet", "cette", "ceux", "chaque", "chez", "ci", "comme", "d", "dans", "de", "depuis", "des",
    "deux", "donc", "dont", "du", "elle", "elles", "en", "encore", "entre", "est", "et", "etaient", "etait", "etant",
    "ete", "etre", "eu", "eux", "fait", "fut", "ici", "il", "ils", "j", "je", "jusque", "l", "la", "le", "les",
    "leur", "leurs", "lors", "lui", "m", "ma", "mais", "me", "meme", "memes", "mes", "moi", "mon", "n", "ne", "ni",
    "nos", "notre", "nous", "on", "ont", "ou", "par", "parce", "pas", "pendant", "peu", "peut", "plus", "pour",
    "pourquoi", "pres", "puis", "qu", "quand", "que", "quel", "quelle", "quelles", "quels", "qui", "quoi", "s", "sa",
    "sans", "se", "selon", "sera", "ses", "si", "sien", "soi", "sois", "son", "sont", "sous", "suis", "sur", "t",
    "ta", "tandis", "te", "tel", "telle", "tes", "toi", "ton", "tous", "tout", "toute", "toutes", "tres", "tu", "un",
    "une", "vers", "voici", "voila", "vos", "votre", "vous", "y",
};

static const char *const spanish[] = {
    "a", "al", "algo", "algun", "alguna", "algunas", "alguno", "algunos", "ante", "antes", "aquel", "aquella", "aqui",
    "asi", "aun", "aunque", "bajo", "bien", "cada", "como", "con", "contra", "cual", "cuando", "cuyo", "de", "del",
    "desde", "donde", "durante", "e", "el", "ella", "ellas", "ellos", "en", "entonces", "entre", "era", "eran", "es",
    "esa", "esas", "ese", "eso", "esos", "esta", "estaba", "estado", "estan", "estar", "estas", "este", "esto",
    "estos", "fue", "fueron", "ha", "habia", "habian", "han", "hasta", "hay", "la", "las", "le", "les", "lo", "los",
    "mas", "me", "mi", "mientras", "mis", "mismo", "mucho", "muchos", "muy", "nada", "ni", "no", "nos", "nosotros",
    "nuestra", "nuestro", "o", "os", "otra", "otras", "otro", "otros", "para", "pero", "poco", "por", "porque",
    "puede", "pues", "que", "quien", "se", "sea", "segun", "ser", "si", "sido", "sin", "sino", "sobre", "son", "su",
    "sus", "tambien", "tan", "tanto", "te", "tiene", "tienen", "toda", "todas", "todo", "todos", "tras", "tu", "tus",
    "un", "una", "unas", "uno", "unos", "usted", "vosotros", "y", "ya", "yo",
};

static const char *const italian[] = {
    "a", "abbia", "abbiamo", "ad", "agli", "ai", "al", "alla", "alle", "allo", "allora", "anche", "ancora", "aveva",
    "avevano", "c", "che", "chi", "ci", "cioe", "come", "con", "contro", "cosa", "cosi", "cui", "d", "da", "dagli",
    "dai", "dal", "dalla", "dalle", "dallo", "degli", "dei", "del", "dell", "della", "delle", "dello", "dentro", "di",
    "dopo", "dove", "dunque", "durante", "e", "ecco", "ed", "egli", "era", "erano", "essa", "esse", "essere", "essi",
    "esso", "fa", "fino", "fra", "fu", "gli", "ha", "hanno", "ho", "i", "il", "in", "io", "l", "la", "le", "lei",
    "li", "lo", "loro", "lui", "ma", "me", "mentre", "mi", "mia", "mie", "miei", "mio", "molto", "ne", "negli", "nei",
    "nel", "nella", "nelle", "nello", "nessuno", "noi", "non", "nostra", "nostro", "o", "ogni", "oltre", "ora", "per",
    "perche", "pero", "piu", "poi", "prima", "qua", "quale", "quando", "quanto", "quel", "quella", "quelle", "quelli",
    "quello", "questa", "queste", "questi", "questo", "qui", "quindi", "sara", "se", "sei", "senza", "si", "sia",
    "siamo", "siete", "sono", "sopra", "sotto", "sta", "stata", "stato", "su", "sua", "sue", "sugli", "sui", "sul",
    "sulla", "sulle", "sullo", "suo", "suoi", "tra", "tu", "tua", "tuo", "tutta", "tutte", "tutti", "tutto", "un",
    "una", "uno", "vi", "voi",
};

static const char *const dutch[] = {
    "aan", "al", "alle", "allen", "alles", "als", "altijd", "andere", "ben", "bij", "binnen", "daar", "dan", "dat",
    "de", "deze", "die", "dit", "doch", "doen", "door", "dus", "echter", "een", "eens", "en", "er", "ge", "geen",
    "geweest", "haar", "had", "hadden", "heb", "hebben", "heeft", "hem", "het", "hier", "hij", "hoe", "hun", "iemand",
    "iets", "ik", "in", "is", "ja", "je", "kan", "kon", "kunnen", "maar", "me", "meer", "men", "met", "mij", "mijn",
    "moet", "na", "naar", "niet", "niets", "nog", "nu", "of", "om", "omdat", "onder", "ons", "onze", "ook", "op",
    "over", "reeds", "samen", "sinds", "te", "tegen", "tegenover", "toch", "toen", "tot", "tussen", "u", "uit", "uw",
    "van", "vanaf", "veel", "voor", "waar", "waarom", "wanneer", "want", "waren", "was", "wat", "we", "weer", "wel",
    "werd", "werden", "wezen", "wie", "wij", "wil", "worden", "wordt", "zal", "ze", "zelf", "zich", "zij", "zijn",
    "zo", "zonder", "zou", "zullen",
};

static const char *const portuguese[] = {
    "a", "ainda", "alem", "algo", "algum", "alguma", "alguns", "antes", "ao", "aos", "apenas", "apos", "aquela",
    "aquele", "aqueles", "aquilo", "as", "assim", "ate", "cada", "com", "como", "contra", "cujo", "da", "das", "de",
    "dela", "dele", "deles", "depois", "desde", "dessa", "desse", "desta", "deste", "do", "dos", "durante", "e",
    "ela", "elas", "ele", "eles", "em", "enquanto", "entre", "era", "eram", "essa", "essas", "esse", "esses", "esta",
    "estao", "estas", "estava", "este", "estes", "estou", "eu", "foi", "foram", "ha", "isso", "isto", "ja", "la",
    "lhe", "lhes", "lo", "mais", "mas", "me", "mesmo", "meu", "meus", "minha", "muito", "muitos", "na", "nao", "nas",
    "nem", "nessa", "nesse", "nesta", "neste", "no", "nos", "nossa", "nosso", "num", "numa", "o", "onde", "os", "ou",
    "outra", "outras", "outro", "outros", "para", "pela", "pelas", "pelo", "pelos", "pois", "por", "porque", "pouco",
    "quais", "qual", "quando", "que", "quem", "se", "seja", "sem", "sempre", "ser", "sera", "seu", "seus", "si",
    "sido", "sob", "sobre", "sua", "suas", "tambem", "tao", "te", "tem", "tinha", "toda", "todas", "todo", "todos",
    "tu", "tudo", "um", "uma", "umas", "uns", "voce", "voces",
};

static const char *const swedish[] = {
    "all", "alla", "allt", "an", "ar", "at", "att", "av", "bara", "blev", "bli", "blir", "blivit", "da", "dar", "de",
    "dem", "den", "denna", "deras", "dess", "dessa", "det", "detta", "dig", "din", "dina", "ditt", "du", "efter",
    "ej", "eller", "en", "er", "ett", "for", "fran", "genom", "ha", "hade", "han", "hans", "har", "hela", "henne",
    "hennes", "hon", "honom", "hur", "i", "icke", "igen", "in", "ingen", "inget", "inom", "inte", "ja", "jag", "kan",
    "kanske", "kom", "kunde", "man", "med", "medan", "mellan", "men", "mig", "min", "mina", "mitt", "mot", "mycket",
    "nagon", "nagot", "nagra", "nar", "ni", "nu", "och", "ocksa", "olika", "om", "oss", "over", "pa", "sa", "sadan",
    "samma", "samt", "sedan", "ser", "sig", "sin", "sina", "sitt", "sjalv", "ska", "skall", "skulle", "som", "till",
    "tva", "under", "upp", "ut", "utan", "vad", "var", "vara", "varfor", "varit", "varje", "vars", "vart", "vem",
    "vi", "vid", "vilka", "vilken", "vilket",
};
/* clang-format on */

#define LIST(words)                                                                                \
    {                                                                                              \
        words, (int)(sizeof(words) / sizeof((words)[0]))                                           \
    }

const ki_stop_list ki_stop_lists[KI_LANGUAGES] = {
    [KI_ENGLISH] = LIST(english),       [KI_GERMAN] = LIST(german),   [KI_FRENCH] = LIST(french),
    [KI_SPANISH] = LIST(spanish),       [KI_ITALIAN] = LIST(italian), [KI_DUTCH] = LIST(dutch),
    [KI_PORTUGUESE] = LIST(portuguese), [KI_SWEDISH] = LIST(swedish),
};

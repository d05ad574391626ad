/* SPDX-License-Identifier: MIT
 * phrasebooks.c -- the tables: one per language
 *
 * Numbers   are grouped as CLDR has it: from the fourth digit on, in Spanish from the fifth; by a
 *           narrow blank (U+202F) in French; a percent sign stands behind a blank or not.
 * Spanish   says "e" for "y" before the sound of i: "Sabrina e Ida", but "agua y hielo".
 * Plurals   one is 1 in most, 0 and 1 in French and Portuguese.
 */
#include "engine/phrasebooks.h"

#include <stddef.h>

#define NBSP   "\xc2\xa0"
#define NARROW "\xe2\x80\xaf"

enum { EN, DE, ES, FR, IT, PT };
const char *const ki_phrasebook_codes[KI_N_LANGUAGES + 1] = {
    [EN] = "en", [DE] = "de", [ES] = "es", [FR] = "fr", [IT] = "it", [PT] = "pt", NULL
};

const ki_phrasebook ki_phrasebooks[KI_N_LANGUAGES] = {
    [EN] = { .open = "\"",
             .close = "\"",
             .percent = "%",
             .and = " and ",
             .group = ",",
             .group_from = 4,
             .phrases = { [KI_PHRASE_FILTER_PASS] = { "{1} of {2} candidates passes, {3} are "
                                                      "wanted",
                                                      "{1} of {2} candidates pass, {3} are "
                                                      "wanted" },
                          [KI_PHRASE_FILTER_WITHOUT] = { "; without `{1}` {2} would" },
                          [KI_PHRASE_FILTER_WITHOUT_TWO] = { "; without `{1}` and `{2}` {3} "
                                                             "would" },
                          [KI_PHRASE_FILTER_LEAVES] = { "{1} would leave {2}" },
                          [KI_PHRASE_WHY_UNKNOWN] = { "the catalogue of {1} item has no {2}",
                                                      "the catalogue of {1} items has no {2}" },
                          [KI_PHRASE_WHY_NEAREST] = { "; nearest: {}" },
                          [KI_PHRASE_WHY_HIDDEN] = { "it is hidden from everybody" },
                          [KI_PHRASE_WHY_BLOCKED] = { "the block list has it, by the entry `{}`" },
                          [KI_PHRASE_WHY_RULED_OUT] = { "the rules block it" },
                          [KI_PHRASE_WHY_EXCLUDED] = { "the request excludes it" },
                          [KI_PHRASE_WHY_RULES_EXCLUDE] = { "the rules exclude it" },
                          [KI_PHRASE_WHY_SEEN] = { "the user has it already, and the request "
                                                   "leaves out what was seen" },
                          [KI_PHRASE_WHY_FILTER] = { "the filter wants `{}`" },
                          [KI_PHRASE_WHY_RULES_FILTER] = { "the rules want `{}`" },
                          [KI_PHRASE_WHY_AND] = { "; and `{}`" },
                          [KI_PHRASE_WHY_UNCLEAR] = { ", which is unknown for this item" },
                          [KI_PHRASE_WHY_VALUE] = { "{1} is {2}" },
                          [KI_PHRASE_WHY_MISSING] = { "{} is missing" },
                          [KI_PHRASE_WHY_NO_SOURCE] = { "nothing that finds candidates brought "
                                                        "it" },
                          [KI_PHRASE_WHY_UNLEARNT] = { "the model does not know it yet; the next "
                                                       "training takes it in, when there is "
                                                       "something to learn about it" },
                          [KI_PHRASE_WHY_CAPPED] = { "the rules allow {1} item of one {2} in a "
                                                     "list, and a better one with {3} comes before "
                                                     "it",
                                                     "the rules allow {1} items of one {2} in a "
                                                     "list, and better ones with {3} come before "
                                                     "it" },
                          [KI_PHRASE_WHY_RANKED] = { "it is ranked at {1} with score {2}" },
                          [KI_PHRASE_WHY_NEEDS] = { "; to enter the first {1} it needs {2} more" },
                          [KI_PHRASE_WHY_LEFT_OUT] = { "; its score would do for the first {}, but "
                                                       "what comes after ranking left it out" },
                          [KI_PHRASE_WHY_SHOWN] = { "it is in the list, at place {}" },
                          [KI_PHRASE_WHY_SHOWN_SCORE] = { " with score {1} (ranked at {2})" },
                          [KI_PHRASE_LIKED] = { "because you liked {}" },
                          [KI_PHRASE_RATED] = { "because of how you rated {}" },
                          [KI_PHRASE_KNOWN] = { "because you know {}" },
                          [KI_PHRASE_WORDS] = { "because of {}" },
                          [KI_PHRASE_SHARED] = { ", which shares {} with it",
                                                 ", which share {} with it" },
                          [KI_PHRASE_N_RATED] = { "rated by {} person", "rated by {} people" },
                          [KI_PHRASE_N_LIKED] = { "liked by {} person", "liked by {} people" },
                          [KI_PHRASE_DESCRIBED] = { "it fits the description" },
                          [KI_PHRASE_NEW] = { "new: nobody has it yet" },
                          [KI_PHRASE_MORE] = { " and {} more" },
                          [KI_PHRASE_LEFT_OUT] = { "the model does not know this liked item, it is "
                                                   "left "
                                                   "out: {}",
                                                   "the model does not know these liked items, "
                                                   "they are "
                                                   "left out: {}" },
                          [KI_PHRASE_NONE_KNOWN] = { "the model knows none of the liked items "
                                                     "({}); these "
                                                     "are popular items" },
                          [KI_PHRASE_STRANGER] = { "user {} is not known to the model; these are "
                                                   "popular "
                                                   "items" },
                          [KI_PHRASE_BY_TEXT] = { "user {} is not known to the model; the list "
                                                  "goes by the "
                                                  "text alone" },
                          [KI_PHRASE_BY_WISHES] = { "nothing is known of user {}; the list goes by "
                                                    "the wishes alone" },
                          [KI_PHRASE_ALL_WISHES] = { "meets your wish", "meets all your wishes" },
                          [KI_PHRASE_WISHES] = { "meets your wish to {}",
                                                 "meets your wishes to {}" },
                          [KI_PHRASE_NO_HISTORY] = { "user {} has nothing in the training data; "
                                                     "these are "
                                                     "popular items" },
                          [KI_PHRASE_NOBODY] = { "no user and no liked items were given; these are "
                                                 "popular "
                                                 "items" },
                          [KI_PHRASE_NO_WORDS] = { "the model knows no word of the text; these are "
                                                   "popular items" },
                          [KI_PHRASE_NOTHING] = { "nothing is left to recommend: the history and "
                                                  "the "
                                                  "exclusions hold every item" } } },
    [DE] = { .open = "„",
             .close = "“",
             .percent = NBSP "%",
             .and = " und ",
             .group = ".",
             .group_from = 4,
             .phrases = { [KI_PHRASE_FILTER_PASS] = { "{1} von {2} Kandidaten kommt durch, "
                                                      "gewünscht "
                                                      "sind {3}",
                                                      "{1} von {2} Kandidaten kommen durch, "
                                                      "gewünscht sind {3}" },
                          [KI_PHRASE_FILTER_WITHOUT] = { "; ohne `{1}` wären es {2}" },
                          [KI_PHRASE_FILTER_WITHOUT_TWO] = { "; ohne `{1}` und `{2}` wären es "
                                                             "{3}" },
                          [KI_PHRASE_FILTER_LEAVES] = { "mit {1} blieben {2}" },
                          [KI_PHRASE_WHY_UNKNOWN] = { "der Katalog mit {1} Artikel enthält {2} "
                                                      "nicht",
                                                      "der Katalog mit {1} Artikeln enthält {2} "
                                                      "nicht" },
                          [KI_PHRASE_WHY_NEAREST] = { "; am ähnlichsten: {}" },
                          [KI_PHRASE_WHY_HIDDEN] = { "der Artikel ist für alle verborgen" },
                          [KI_PHRASE_WHY_BLOCKED] = { "die Sperrliste enthält ihn, durch den "
                                                      "Eintrag `{}`" },
                          [KI_PHRASE_WHY_RULED_OUT] = { "die Regeln sperren ihn" },
                          [KI_PHRASE_WHY_EXCLUDED] = { "die Anfrage schließt ihn aus" },
                          [KI_PHRASE_WHY_RULES_EXCLUDE] = { "die Regeln schließen ihn aus" },
                          [KI_PHRASE_WHY_SEEN] = { "er ist schon im Verlauf, und die Anfrage lässt "
                                                   "Bekanntes weg" },
                          [KI_PHRASE_WHY_FILTER] = { "der Filter verlangt `{}`" },
                          [KI_PHRASE_WHY_RULES_FILTER] = { "die Regeln verlangen `{}`" },
                          [KI_PHRASE_WHY_AND] = { "; und `{}`" },
                          [KI_PHRASE_WHY_UNCLEAR] = { ", was für diesen Artikel nicht bekannt "
                                                      "ist" },
                          [KI_PHRASE_WHY_VALUE] = { "{1} ist {2}" },
                          [KI_PHRASE_WHY_MISSING] = { "{} fehlt" },
                          [KI_PHRASE_WHY_NO_SOURCE] = { "keine Quelle von Kandidaten hat ihn "
                                                        "gebracht" },
                          [KI_PHRASE_WHY_UNLEARNT] = { "das Modell kennt ihn noch nicht; das "
                                                       "nächste Training nimmt ihn auf, wenn es "
                                                       "über ihn etwas zu lernen gibt" },
                          [KI_PHRASE_WHY_CAPPED] = { "die Regeln erlauben {1} Artikel mit gleichem "
                                                     "{2} in einer Liste, und ein besserer mit {3} "
                                                     "steht davor",
                                                     "die Regeln erlauben {1} Artikel mit gleichem "
                                                     "{2} in einer Liste, und bessere mit {3} "
                                                     "stehen davor" },
                          [KI_PHRASE_WHY_RANKED] = { "er steht auf Rang {1} mit dem Wert {2}" },
                          [KI_PHRASE_WHY_NEEDS] = { "; um unter die ersten {1} zu kommen, fehlen "
                                                    "ihm {2}" },
                          [KI_PHRASE_WHY_LEFT_OUT] = { "; sein Wert würde für die ersten {} "
                                                       "reichen, aber was auf die Rangfolge folgt, "
                                                       "hat ihn weggelassen" },
                          [KI_PHRASE_WHY_SHOWN] = { "er steht in der Liste, an Stelle {}" },
                          [KI_PHRASE_WHY_SHOWN_SCORE] = { " mit dem Wert {1} (Rang {2})" },
                          [KI_PHRASE_LIKED] = { "weil dir {} gefallen hat",
                                                "weil dir {} gefallen haben" },
                          [KI_PHRASE_RATED] = { "wegen deiner Bewertung von {}",
                                                "wegen deiner Bewertungen von {}" },
                          [KI_PHRASE_KNOWN] = { "weil du {} kennst" },
                          [KI_PHRASE_WORDS] = { "passend zu {}" },
                          [KI_PHRASE_SHARED] = { " (gemeinsam: {})" },
                          [KI_PHRASE_N_RATED] = { "von {} Person bewertet",
                                                  "von {} Personen bewertet" },
                          [KI_PHRASE_N_LIKED] = { "gefällt {} Person", "gefällt {} Personen" },
                          [KI_PHRASE_DESCRIBED] = { "passt zur Beschreibung" },
                          [KI_PHRASE_NEW] = { "neu: noch hat es niemand" },
                          [KI_PHRASE_MORE] = { " und {} weiterer", " und {} weitere" },
                          [KI_PHRASE_LEFT_OUT] = { "diesen gemochten Artikel kennt das Modell "
                                                   "nicht, er "
                                                   "bleibt außer Acht: {}",
                                                   "diese gemochten Artikel kennt das Modell "
                                                   "nicht, sie "
                                                   "bleiben außer Acht: {}" },
                          [KI_PHRASE_NONE_KNOWN] = { "von den gemochten Artikeln kennt das Modell "
                                                     "keinen "
                                                     "({}); dies sind beliebte Artikel" },
                          [KI_PHRASE_STRANGER] = { "das Modell kennt {} nicht; dies sind beliebte "
                                                   "Artikel" },
                          [KI_PHRASE_BY_TEXT] = { "das Modell kennt {} nicht; die Liste richtet "
                                                  "sich allein "
                                                  "nach dem Text" },
                          [KI_PHRASE_BY_WISHES] = { "von {} ist nichts bekannt; die Liste richtet "
                                                    "sich allein nach den Wünschen" },
                          [KI_PHRASE_ALL_WISHES] = { "erfüllt deinen Wunsch",
                                                     "erfüllt alle deine Wünsche" },
                          [KI_PHRASE_WISHES] = { "erfüllt deinen Wunsch zu {}",
                                                 "erfüllt deine Wünsche zu {}" },
                          [KI_PHRASE_NO_HISTORY] = { "von {} steht nichts in den Trainingsdaten; "
                                                     "dies sind "
                                                     "beliebte Artikel" },
                          [KI_PHRASE_NOBODY] = { "weder eine Person noch gemochte Artikel sind "
                                                 "angegeben; "
                                                 "dies sind beliebte Artikel" },
                          [KI_PHRASE_NO_WORDS] = { "das Modell kennt kein Wort des Textes; dies "
                                                   "sind beliebte Artikel" },
                          [KI_PHRASE_NOTHING] = { "es gibt nichts mehr zu empfehlen: Verlauf und "
                                                  "Ausschlüsse umfassen alle Artikel" } } },
    [ES] = { .open = "«",
             .close = "»",
             .percent = NBSP "%",
             .and = " y ",
             .and_before_i = " e ",
             .group = ".",
             .group_from = 5,
             .phrases = { [KI_PHRASE_FILTER_PASS] = { "{1} de {2} candidatos pasa el filtro, se "
                                                      "piden {3}",
                                                      "{1} de {2} candidatos pasan el filtro, se "
                                                      "piden {3}" },
                          [KI_PHRASE_FILTER_WITHOUT] = { "; sin `{1}` pasarían {2}" },
                          [KI_PHRASE_FILTER_WITHOUT_TWO] = { "; sin `{1}` y `{2}` pasarían {3}" },
                          [KI_PHRASE_FILTER_LEAVES] = { "con {1} quedarían {2}" },
                          [KI_PHRASE_WHY_UNKNOWN] = { "el catálogo de {1} artículo no tiene {2}",
                                                      "el catálogo de {1} artículos no tiene {2}" },
                          [KI_PHRASE_WHY_NEAREST] = { "; el más parecido: {}" },
                          [KI_PHRASE_WHY_HIDDEN] = { "el artículo está oculto para todos" },
                          [KI_PHRASE_WHY_BLOCKED] = { "está en la lista de bloqueo, por la entrada "
                                                      "`{}`" },
                          [KI_PHRASE_WHY_RULED_OUT] = { "las reglas lo bloquean" },
                          [KI_PHRASE_WHY_EXCLUDED] = { "la petición lo excluye" },
                          [KI_PHRASE_WHY_RULES_EXCLUDE] = { "las reglas lo excluyen" },
                          [KI_PHRASE_WHY_SEEN] = { "ya está en el historial, y la petición omite "
                                                   "lo que ya se conoce" },
                          [KI_PHRASE_WHY_FILTER] = { "el filtro exige `{}`" },
                          [KI_PHRASE_WHY_RULES_FILTER] = { "las reglas exigen `{}`" },
                          [KI_PHRASE_WHY_AND] = { "; y `{}`" },
                          [KI_PHRASE_WHY_UNCLEAR] = { ", que no se sabe de este artículo" },
                          [KI_PHRASE_WHY_VALUE] = { "{1} es {2}" },
                          [KI_PHRASE_WHY_MISSING] = { "falta {}" },
                          [KI_PHRASE_WHY_NO_SOURCE] = { "ninguna fuente de candidatos lo ha "
                                                        "traído" },
                          [KI_PHRASE_WHY_UNLEARNT] = { "el modelo aún no lo conoce; el próximo "
                                                       "entrenamiento lo incluirá si hay algo que "
                                                       "aprender sobre él" },
                          [KI_PHRASE_WHY_CAPPED] = { "las reglas permiten {1} artículo con el "
                                                     "mismo {2} en una lista, y uno mejor con {3} "
                                                     "va antes",
                                                     "las reglas permiten {1} artículos con el "
                                                     "mismo {2} en una lista, y otros mejores con "
                                                     "{3} van antes" },
                          [KI_PHRASE_WHY_RANKED] = { "ocupa el puesto {1} con una puntuación de "
                                                     "{2}" },
                          [KI_PHRASE_WHY_NEEDS] = { "; para entrar entre los {1} primeros le "
                                                    "faltan {2}" },
                          [KI_PHRASE_WHY_LEFT_OUT] = { "; su puntuación bastaría para los {} "
                                                       "primeros, pero lo que sigue a la "
                                                       "clasificación lo ha dejado fuera" },
                          [KI_PHRASE_WHY_SHOWN] = { "está en la lista, en el lugar {}" },
                          [KI_PHRASE_WHY_SHOWN_SCORE] = { " con una puntuación de {1} (puesto "
                                                          "{2})" },
                          [KI_PHRASE_LIKED] = { "porque te gustó {}", "porque te gustaron {}" },
                          [KI_PHRASE_RATED] = { "por tu valoración de {}",
                                                "por tus valoraciones de {}" },
                          [KI_PHRASE_KNOWN] = { "porque conoces a {}" },
                          [KI_PHRASE_WORDS] = { "relacionado con {}" },
                          [KI_PHRASE_SHARED] = { " (en común: {})" },
                          [KI_PHRASE_N_RATED] = { "valorado por {} persona",
                                                  "valorado por {} personas" },
                          [KI_PHRASE_N_LIKED] = { "le gusta a {} persona",
                                                  "les gusta a {} personas" },
                          [KI_PHRASE_DESCRIBED] = { "se ajusta a la descripción" },
                          [KI_PHRASE_NEW] = { "nuevo: aún no lo tiene nadie" },
                          [KI_PHRASE_MORE] = { " y {} más" },
                          [KI_PHRASE_LEFT_OUT] = { "el modelo no conoce este artículo que te gusta "
                                                   "y no lo "
                                                   "tiene en cuenta: {}",
                                                   "el modelo no conoce estos artículos que te "
                                                   "gustan y no "
                                                   "los tiene en cuenta: {}" },
                          [KI_PHRASE_NONE_KNOWN] = { "el modelo no conoce ninguno de los artículos "
                                                     "que te "
                                                     "gustan ({}); estos son artículos populares" },
                          [KI_PHRASE_STRANGER] = { "el modelo no conoce a {}; estos son artículos "
                                                   "populares" },
                          [KI_PHRASE_BY_TEXT] = { "el modelo no conoce a {}; la lista se guía solo "
                                                  "por el "
                                                  "texto" },
                          [KI_PHRASE_BY_WISHES] = { "no se sabe nada de {}; la lista se guía solo "
                                                    "por los deseos" },
                          [KI_PHRASE_ALL_WISHES] = { "cumple tu deseo", "cumple todos tus deseos" },
                          [KI_PHRASE_WISHES] = { "cumple tu deseo en un {}",
                                                 "cumple tus deseos en un {}" },
                          [KI_PHRASE_NO_HISTORY] = { "no hay nada de {} en los datos de "
                                                     "entrenamiento; "
                                                     "estos son artículos populares" },
                          [KI_PHRASE_NOBODY] = { "no se indicó ni usuario ni artículos que gusten; "
                                                 "estos "
                                                 "son artículos populares" },
                          [KI_PHRASE_NO_WORDS] = { "el modelo no conoce ninguna palabra del texto; "
                                                   "estos son artículos populares" },
                          [KI_PHRASE_NOTHING] = { "no queda nada que recomendar: el historial y "
                                                  "las "
                                                  "exclusiones abarcan todos los artículos" } } },
    [FR] = { .open = "«" NBSP,
             .close = NBSP "»",
             .percent = NARROW "%",
             .and = " et ",
             .group = NARROW,
             .group_from = 4,
             .zero_is_one = 1,
             .phrases = { [KI_PHRASE_FILTER_PASS] = { "{1} candidat sur {2} passe le filtre, {3} "
                                                      "sont demandés",
                                                      "{1} candidats sur {2} passent le filtre, "
                                                      "{3} sont demandés" },
                          [KI_PHRASE_FILTER_WITHOUT] = { NBSP "; sans `{1}` il y en aurait {2}" },
                          [KI_PHRASE_FILTER_WITHOUT_TWO] = { NBSP "; sans `{1}` ni `{2}` il y en "
                                                                  "aurait {3}" },
                          [KI_PHRASE_FILTER_LEAVES] = { "avec {1} il en resterait {2}" },
                          [KI_PHRASE_WHY_UNKNOWN] = { "le catalogue de {1} article ne contient pas "
                                                      "{2}",
                                                      "le catalogue de {1} articles ne contient "
                                                      "pas {2}" },
                          [KI_PHRASE_WHY_NEAREST] = { NBSP "; le plus proche : {}" },
                          [KI_PHRASE_WHY_HIDDEN] = { "l’article est caché à tout le monde" },
                          [KI_PHRASE_WHY_BLOCKED] = { "il est dans la liste de blocage, par "
                                                      "l’entrée `{}`" },
                          [KI_PHRASE_WHY_RULED_OUT] = { "les règles le bloquent" },
                          [KI_PHRASE_WHY_EXCLUDED] = { "la demande l’exclut" },
                          [KI_PHRASE_WHY_RULES_EXCLUDE] = { "les règles l’excluent" },
                          [KI_PHRASE_WHY_SEEN] = { "il est déjà dans l’historique, et la demande "
                                                   "écarte ce qui est connu" },
                          [KI_PHRASE_WHY_FILTER] = { "le filtre exige `{}`" },
                          [KI_PHRASE_WHY_RULES_FILTER] = { "les règles exigent `{}`" },
                          [KI_PHRASE_WHY_AND] = { NBSP "; et `{}`" },
                          [KI_PHRASE_WHY_UNCLEAR] = { ", ce qu’on ignore pour cet article" },
                          [KI_PHRASE_WHY_VALUE] = { "{1} est {2}" },
                          [KI_PHRASE_WHY_MISSING] = { "{} manque" },
                          [KI_PHRASE_WHY_NO_SOURCE] = { "aucune source de candidats ne l’a "
                                                        "apporté" },
                          [KI_PHRASE_WHY_UNLEARNT] = { "le modèle ne le connaît pas encore; le "
                                                       "prochain entraînement le prendra en compte "
                                                       "s’il y a quelque chose à en apprendre" },
                          [KI_PHRASE_WHY_CAPPED] = { "les règles permettent {1} article de même "
                                                     "{2} par liste, et un meilleur avec {3} le "
                                                     "précède",
                                                     "les règles permettent {1} articles de même "
                                                     "{2} par liste, et de meilleurs avec {3} le "
                                                     "précèdent" },
                          [KI_PHRASE_WHY_RANKED] = { "il est classé au rang {1} avec un score de "
                                                     "{2}" },
                          [KI_PHRASE_WHY_NEEDS] = { NBSP "; pour entrer parmi les {1} premiers il "
                                                         "lui manque {2}" },
                          [KI_PHRASE_WHY_LEFT_OUT] = { NBSP "; son score suffirait pour les {} "
                                                            "premiers, mais ce qui suit le "
                                                            "classement l’a écarté" },
                          [KI_PHRASE_WHY_SHOWN] = { "il est dans la liste, à la place {}" },
                          [KI_PHRASE_WHY_SHOWN_SCORE] = { " avec un score de {1} (rang {2})" },
                          [KI_PHRASE_LIKED] = { "parce que vous avez aimé {}" },
                          [KI_PHRASE_RATED] = { "d’après votre note pour {}",
                                                "d’après vos notes pour {}" },
                          [KI_PHRASE_KNOWN] = { "parce que vous connaissez {}" },
                          [KI_PHRASE_WORDS] = { "en rapport avec {}" },
                          [KI_PHRASE_SHARED] = { " (en commun" NBSP ": {})" },
                          [KI_PHRASE_N_RATED] = { "noté par {} personne", "noté par {} personnes" },
                          [KI_PHRASE_N_LIKED] = { "aimé par {} personne", "aimé par {} personnes" },
                          [KI_PHRASE_DESCRIBED] = { "correspond à la description" },
                          [KI_PHRASE_NEW] = { "nouveau" NBSP ": personne ne l’a encore" },
                          [KI_PHRASE_MORE] = { " et {} autre", " et {} autres" },
                          [KI_PHRASE_LEFT_OUT] = { "le modèle ne connaît pas cet article aimé, il "
                                                   "est "
                                                   "ignoré" NBSP ": {}",
                                                   "le modèle ne connaît pas ces articles aimés, "
                                                   "ils sont "
                                                   "ignorés" NBSP ": {}" },
                          [KI_PHRASE_NONE_KNOWN] = { "le modèle ne connaît aucun des articles "
                                                     "aimés ({}); "
                                                     "voici des articles populaires" },
                          [KI_PHRASE_STRANGER] = { "le modèle ne connaît pas {}; voici des "
                                                   "articles "
                                                   "populaires" },
                          [KI_PHRASE_BY_TEXT] = { "le modèle ne connaît pas {}; la liste suit le "
                                                  "texte "
                                                  "seul" },
                          [KI_PHRASE_BY_WISHES] = { "on ne sait rien de {}; la liste suit les "
                                                    "seuls souhaits" },
                          [KI_PHRASE_ALL_WISHES] = { "répond à votre souhait",
                                                     "répond à tous vos souhaits" },
                          [KI_PHRASE_WISHES] = { "répond à votre souhait à {}",
                                                 "répond à vos souhaits à {}" },
                          [KI_PHRASE_NO_HISTORY] = { "les données d’entraînement ne contiennent "
                                                     "rien de "
                                                     "{}; voici des articles populaires" },
                          [KI_PHRASE_NOBODY] = { "ni utilisateur ni articles aimés n’ont été "
                                                 "indiqués; "
                                                 "voici des articles populaires" },
                          [KI_PHRASE_NO_WORDS] = { "le modèle ne connaît aucun mot du texte; voici "
                                                   "des articles populaires" },
                          [KI_PHRASE_NOTHING] = { "il ne reste rien à recommander" NBSP
                                                  ": l’historique et "
                                                  "les exclusions couvrent tous les articles" } } },
    [IT] = { .open = "«",
             .close = "»",
             .percent = "%",
             .and = " e ",
             .group = ".",
             .group_from = 4,
             .phrases = { [KI_PHRASE_FILTER_PASS] = { "{1} candidato su {2} supera il filtro, ne "
                                                      "servono {3}",
                                                      "{1} candidati su {2} superano il filtro, ne "
                                                      "servono {3}" },
                          [KI_PHRASE_FILTER_WITHOUT] = { "; senza `{1}` sarebbero {2}" },
                          [KI_PHRASE_FILTER_WITHOUT_TWO] = { "; senza `{1}` e `{2}` sarebbero "
                                                             "{3}" },
                          [KI_PHRASE_FILTER_LEAVES] = { "con {1} ne resterebbero {2}" },
                          [KI_PHRASE_WHY_UNKNOWN] = { "il catalogo di {1} articolo non contiene "
                                                      "{2}",
                                                      "il catalogo di {1} articoli non contiene "
                                                      "{2}" },
                          [KI_PHRASE_WHY_NEAREST] = { "; il più simile: {}" },
                          [KI_PHRASE_WHY_HIDDEN] = { "l’articolo è nascosto a tutti" },
                          [KI_PHRASE_WHY_BLOCKED] = { "è nella lista di blocco, per la voce `{}`" },
                          [KI_PHRASE_WHY_RULED_OUT] = { "le regole lo bloccano" },
                          [KI_PHRASE_WHY_EXCLUDED] = { "la richiesta lo esclude" },
                          [KI_PHRASE_WHY_RULES_EXCLUDE] = { "le regole lo escludono" },
                          [KI_PHRASE_WHY_SEEN] = { "è già nella cronologia, e la richiesta "
                                                   "tralascia ciò che è noto" },
                          [KI_PHRASE_WHY_FILTER] = { "il filtro vuole `{}`" },
                          [KI_PHRASE_WHY_RULES_FILTER] = { "le regole vogliono `{}`" },
                          [KI_PHRASE_WHY_AND] = { "; e `{}`" },
                          [KI_PHRASE_WHY_UNCLEAR] = { ", che per questo articolo non è noto" },
                          [KI_PHRASE_WHY_VALUE] = { "{1} è {2}" },
                          [KI_PHRASE_WHY_MISSING] = { "manca {}" },
                          [KI_PHRASE_WHY_NO_SOURCE] = { "nessuna fonte di candidati lo ha "
                                                        "portato" },
                          [KI_PHRASE_WHY_UNLEARNT] = { "il modello non lo conosce ancora; il "
                                                       "prossimo addestramento lo includerà se c’è "
                                                       "qualcosa da imparare su di esso" },
                          [KI_PHRASE_WHY_CAPPED] = { "le regole ammettono {1} articolo con lo "
                                                     "stesso {2} in una lista, e uno migliore con "
                                                     "{3} lo precede",
                                                     "le regole ammettono {1} articoli con lo "
                                                     "stesso {2} in una lista, e altri migliori "
                                                     "con {3} lo precedono" },
                          [KI_PHRASE_WHY_RANKED] = { "è al posto {1} con punteggio {2}" },
                          [KI_PHRASE_WHY_NEEDS] = { "; per entrare tra i primi {1} gli mancano "
                                                    "{2}" },
                          [KI_PHRASE_WHY_LEFT_OUT] = { "; il punteggio basterebbe per i primi {}, "
                                                       "ma ciò che segue la classifica lo ha "
                                                       "lasciato fuori" },
                          [KI_PHRASE_WHY_SHOWN] = { "è nella lista, in posizione {}" },
                          [KI_PHRASE_WHY_SHOWN_SCORE] = { " con punteggio {1} (posto {2})" },
                          [KI_PHRASE_LIKED] = { "perché ti è piaciuto {}",
                                                "perché ti sono piaciuti {}" },
                          [KI_PHRASE_RATED] = { "per il tuo voto a {}", "per i tuoi voti a {}" },
                          [KI_PHRASE_KNOWN] = { "perché conosci {}" },
                          [KI_PHRASE_WORDS] = { "in tema con {}" },
                          [KI_PHRASE_SHARED] = { " (in comune: {})" },
                          [KI_PHRASE_N_RATED] = { "votato da {} persona", "votato da {} persone" },
                          [KI_PHRASE_N_LIKED] = { "piace a {} persona", "piace a {} persone" },
                          [KI_PHRASE_DESCRIBED] = { "corrisponde alla descrizione" },
                          [KI_PHRASE_NEW] = { "nuovo: non l’ha ancora nessuno" },
                          [KI_PHRASE_MORE] = { " e {} in più" },
                          [KI_PHRASE_LEFT_OUT] = { "il modello non conosce questo articolo "
                                                   "gradito, che "
                                                   "resta escluso: {}",
                                                   "il modello non conosce questi articoli "
                                                   "graditi, che "
                                                   "restano esclusi: {}" },
                          [KI_PHRASE_NONE_KNOWN] = { "il modello non conosce nessuno degli "
                                                     "articoli graditi "
                                                     "({}); questi sono articoli popolari" },
                          [KI_PHRASE_STRANGER] = { "il modello non conosce {}; questi sono "
                                                   "articoli "
                                                   "popolari" },
                          [KI_PHRASE_BY_TEXT] = { "il modello non conosce {}; la lista segue il "
                                                  "solo "
                                                  "testo" },
                          [KI_PHRASE_BY_WISHES] = { "di {} non si sa nulla; la lista segue solo i "
                                                    "desideri" },
                          [KI_PHRASE_ALL_WISHES] = { "soddisfa il tuo desiderio",
                                                     "soddisfa tutti i tuoi desideri" },
                          [KI_PHRASE_WISHES] = { "soddisfa il tuo desiderio al {}",
                                                 "soddisfa i tuoi desideri al {}" },
                          [KI_PHRASE_NO_HISTORY] = { "di {} non c’è nulla nei dati di "
                                                     "addestramento; questi "
                                                     "sono articoli popolari" },
                          [KI_PHRASE_NOBODY] = { "non sono stati indicati né utente né articoli "
                                                 "graditi; "
                                                 "questi sono articoli popolari" },
                          [KI_PHRASE_NO_WORDS] = { "il modello non conosce nessuna parola del "
                                                   "testo; questi sono articoli popolari" },
                          [KI_PHRASE_NOTHING] = { "non resta nulla da consigliare: la cronologia e "
                                                  "le "
                                                  "esclusioni comprendono ogni articolo" } } },
    [PT] = { .open = "“",
             .close = "”",
             .percent = "%",
             .and = " e ",
             .group = ".",
             .group_from = 4,
             .zero_is_one = 1,
             .phrases = { [KI_PHRASE_FILTER_PASS] = { "{1} de {2} candidatos passa no filtro, "
                                                      "pedem-se {3}",
                                                      "{1} de {2} candidatos passam no filtro, "
                                                      "pedem-se {3}" },
                          [KI_PHRASE_FILTER_WITHOUT] = { "; sem `{1}` passariam {2}" },
                          [KI_PHRASE_FILTER_WITHOUT_TWO] = { "; sem `{1}` e `{2}` passariam {3}" },
                          [KI_PHRASE_FILTER_LEAVES] = { "com {1} restariam {2}" },
                          [KI_PHRASE_WHY_UNKNOWN] = { "o catálogo de {1} item não tem {2}",
                                                      "o catálogo de {1} itens não tem {2}" },
                          [KI_PHRASE_WHY_NEAREST] = { "; o mais parecido: {}" },
                          [KI_PHRASE_WHY_HIDDEN] = { "o item está oculto para todos" },
                          [KI_PHRASE_WHY_BLOCKED] = { "está na lista de bloqueio, pela entrada "
                                                      "`{}`" },
                          [KI_PHRASE_WHY_RULED_OUT] = { "as regras bloqueiam-no" },
                          [KI_PHRASE_WHY_EXCLUDED] = { "o pedido exclui este item" },
                          [KI_PHRASE_WHY_RULES_EXCLUDE] = { "as regras excluem este item" },
                          [KI_PHRASE_WHY_SEEN] = { "já está no histórico, e o pedido omite o que "
                                                   "já é conhecido" },
                          [KI_PHRASE_WHY_FILTER] = { "o filtro exige `{}`" },
                          [KI_PHRASE_WHY_RULES_FILTER] = { "as regras exigem `{}`" },
                          [KI_PHRASE_WHY_AND] = { "; e ainda `{}`" },
                          [KI_PHRASE_WHY_UNCLEAR] = { ", o que não se sabe deste item" },
                          [KI_PHRASE_WHY_VALUE] = { "{1} é {2}" },
                          [KI_PHRASE_WHY_MISSING] = { "falta o valor de {}" },
                          [KI_PHRASE_WHY_NO_SOURCE] = { "nenhuma fonte de candidatos o trouxe" },
                          [KI_PHRASE_WHY_UNLEARNT] = { "o modelo ainda não o conhece; o próximo "
                                                       "treinamento vai incluí-lo se houver algo a "
                                                       "aprender sobre ele" },
                          [KI_PHRASE_WHY_CAPPED] = { "as regras permitem {1} item com o mesmo {2} "
                                                     "numa lista, e um melhor com {3} vem antes",
                                                     "as regras permitem {1} itens com o mesmo {2} "
                                                     "numa lista, e outros melhores com {3} vêm "
                                                     "antes" },
                          [KI_PHRASE_WHY_RANKED] = { "está na posição {1} com a pontuação {2}" },
                          [KI_PHRASE_WHY_NEEDS] = { "; para entrar nos primeiros {1} faltam-lhe "
                                                    "{2}" },
                          [KI_PHRASE_WHY_LEFT_OUT] = { "; a pontuação chegaria para os primeiros "
                                                       "{}, mas o que vem depois da classificação "
                                                       "deixou-o de fora" },
                          [KI_PHRASE_WHY_SHOWN] = { "está na lista, no lugar {}" },
                          [KI_PHRASE_WHY_SHOWN_SCORE] = { " com a pontuação {1} (posição {2})" },
                          [KI_PHRASE_LIKED] = { "porque você gostou de {}" },
                          [KI_PHRASE_RATED] = { "pela sua avaliação de {}",
                                                "pelas suas avaliações de {}" },
                          [KI_PHRASE_KNOWN] = { "porque você conhece {}" },
                          [KI_PHRASE_WORDS] = { "relacionado com {}" },
                          [KI_PHRASE_SHARED] = { " (em comum: {})" },
                          [KI_PHRASE_N_RATED] = { "avaliado por {} pessoa",
                                                  "avaliado por {} pessoas" },
                          [KI_PHRASE_N_LIKED] = { "{} pessoa gosta", "{} pessoas gostam" },
                          [KI_PHRASE_DESCRIBED] = { "corresponde à descrição" },
                          [KI_PHRASE_NEW] = { "novo: ninguém o tem ainda" },
                          [KI_PHRASE_MORE] = { " e mais {}" },
                          [KI_PHRASE_LEFT_OUT] = { "o modelo não conhece este item de que você "
                                                   "gosta e não "
                                                   "o considera: {}",
                                                   "o modelo não conhece estes itens de que você "
                                                   "gosta e "
                                                   "não os considera: {}" },
                          [KI_PHRASE_NONE_KNOWN] = { "o modelo não conhece nenhum dos itens de que "
                                                     "você "
                                                     "gosta ({}); estes são itens populares" },
                          [KI_PHRASE_STRANGER] = { "o modelo não conhece {}; estes são itens "
                                                   "populares" },
                          [KI_PHRASE_BY_TEXT] = { "o modelo não conhece {}; a lista segue apenas o "
                                                  "texto" },
                          [KI_PHRASE_BY_WISHES] = { "nada se sabe de {}; a lista segue apenas os "
                                                    "desejos" },
                          [KI_PHRASE_ALL_WISHES] = { "atende ao seu desejo",
                                                     "atende a todos os seus desejos" },
                          [KI_PHRASE_WISHES] = { "atende ao seu desejo em {}",
                                                 "atende aos seus desejos em {}" },
                          [KI_PHRASE_NO_HISTORY] = { "não há nada de {} nos dados de treino; estes "
                                                     "são "
                                                     "itens populares" },
                          [KI_PHRASE_NOBODY] = { "não foram indicados usuário nem itens de que "
                                                 "goste; estes "
                                                 "são itens populares" },
                          [KI_PHRASE_NO_WORDS] = { "o modelo não conhece nenhuma palavra do texto; "
                                                   "estes são itens populares" },
                          [KI_PHRASE_NOTHING] = { "não resta nada a recomendar: o histórico e as "
                                                  "exclusões "
                                                  "abrangem todos os itens" } } },
};

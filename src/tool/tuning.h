/* SPDX-License-Identifier: MIT
 * tuning.h -- hyperparameter_tuning of a request
 */
#ifndef KI_TUNING_H
#define KI_TUNING_H

#include "tool/running.h"

/* Search for better parameters within the budget of training_configuration and put them into
 * r->method.  What was given is the first setting tried.  The rows that the train-test split will
 * test on are not looked at.  Data that is too little is no failure: r->tuning says so. */
kith_err ki_run_tune(ki_run *r);

#endif

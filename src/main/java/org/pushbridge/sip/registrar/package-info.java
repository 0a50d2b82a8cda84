/**
 * The registrar: who may register (digest), which contacts and push targets a user has, and what a REGISTER is
 * answered with. Functions from a request and the flow it came over to a response; needs no running SIP stack.
 */
@NullMarked
package org.pushbridge.sip.registrar;

import org.jspecify.annotations.NullMarked;

package dev.tenantry.check;

import dev.tenantry.client.Answer;

/**
 * A statement, and what it means.
 *
 * @param sql its text
 * @param effect what it does to a session whose block has not failed
 * @param endsFailure whether it is done in a failed block too
 */
record Step(String sql, Effect effect, boolean endsFailure) {

    /** What a statement does to a session. */
    @FunctionalInterface
    interface Effect {

        /** Changes the session, and answers. */
        Answer on(SessionModel session);
    }

    static Step of(String sql, Effect effect) {
        return new Step(sql, effect, false);
    }

    /** One that ends a failed block, or brings it back. */
    static Step ending(String sql, Effect effect) {
        return new Step(sql, effect, true);
    }
}

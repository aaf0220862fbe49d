package dev.tenantry.control.api;

import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.Operation;
import org.eclipse.microprofile.openapi.models.responses.APIResponses;

/** Adds to each operation of the API, in its description, the problems that any of them may answer with. */
public class ProblemAnswers implements OASFilter {

    private static final Map<String, String> ANSWERS = answers();

    private static Map<String, String> answers() {
        Map<String, String> answers = new LinkedHashMap<>();
        answers.put("400", "A parameter has no meaning (bad_parameter)");
        answers.put("401", "No role and password, or wrong ones (authentication_required)");
        answers.put("403", "The role may not do this (not_allowed)");
        answers.put("429", "Too many attempts to sign in; Retry-After says how long to wait (too_many_attempts)");
        answers.put(
                "503", "What would answer is starting, stopping or away (coordinator_unavailable, proxy_unavailable)");
        return answers;
    }

    /** An operation's own words for one of them stay. */
    @Override
    public Operation filterOperation(Operation operation) {
        APIResponses responses = operation.getResponses();
        ANSWERS.forEach((status, description) -> {
            if (!responses.hasAPIResponse(status)) {
                responses.addAPIResponse(
                        status,
                        OASFactory.createAPIResponse()
                                .description(description)
                                .content(OASFactory.createContent()
                                        .addMediaType(Problem.MEDIA_TYPE, OASFactory.createMediaType())));
            }
        });
        return operation;
    }
}

package dev.tenantry.control.rebalance.plan;

/**
 * How far the planner goes.
 *
 * @param threshold how far a node's utilization may be from the average, as a part of it
 * @param improvementMin what a move that makes its target the fuller of the two must bring, as a part of what it moves
 * @param movesMax how many moves are enough
 * @param drainOnly whether only nodes that are to hold nothing are emptied
 */
public record PlanLimits(double threshold, double improvementMin, int movesMax, boolean drainOnly) {}

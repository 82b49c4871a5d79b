/* What an operator asks for is done one after the other, so that no two
 * procedures change the same accounts at once */
#include "boss/boss_core.h"
#include "common/timer.h"

/** Wait for the turn; it starts on another turn of the loop */
void boss_turn_enter(struct boss *boss, struct boss_turn *turn)
{
	TAILQ_INSERT_TAIL(&boss->turns, turn, link);
	timer_start_ms(boss->next_turn, 0);
}

/** Done: the next one may start */
void boss_turn_leave(struct boss *boss, struct boss_turn *turn)
{
	TAILQ_REMOVE(&boss->turns, turn, link);
	timer_start_ms(boss->next_turn, 0);
}

/** Of boss->next_turn */
void boss_turn_next(void *arg)
{
	const struct boss *boss = arg;
	struct boss_turn *turn = TAILQ_FIRST(&boss->turns);

	if (!turn || turn->is_started)
		return;

	turn->is_started = true;
	turn->start(turn);
}

/** The BOSS ends, and its store and client are gone: so do all procedures */
void boss_turn_end_all(struct boss *boss)
{
	struct boss_turn *turn;

	while ((turn = TAILQ_FIRST(&boss->turns))) {
		TAILQ_REMOVE(&boss->turns, turn, link);
		turn->end(turn);
	}
}

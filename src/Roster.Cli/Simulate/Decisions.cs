using Code = Roster.V1.Decision.Types.Code;

namespace Roster.Cli.Simulate;

/// <summary>Decisions in words (section 7 of the rules).</summary>
internal static class Decisions
{
    /// <summary>Why a record was not enrolled; empty for a code that is not known here.</summary>
    public static string Sentence(Code code) => code switch
    {
        Code.RecordGone => "the record is deleted, or unknown and not to be created",
        Code.TypeMismatch => "the workflow is for another object type",
        Code.WorkflowOff => "the workflow is off",
        Code.SourceNotAllowed => "the source of the change may not enroll",
        Code.NewRecord => "what created the record does not enroll it",
        Code.MergeOff => "the change came from a merge",
        Code.EvaluationFailed => "the criteria could not be evaluated",
        Code.RefinementNotMet => "the trigger's `only_if` did not hold",
        Code.AlreadyActive => "it is active in the workflow already",
        Code.ReenrollmentOff => "it was enrolled before, and re-enrollment is off",
        Code.ReenrollmentTriggerNotSelected => "it was enrolled before, and what fired is no re-enrollment trigger",
        Code.CriteriaNotMet => "the criteria do not hold",
        Code.Suppressed => "it is on a suppression list",
        Code.UnenrollmentTriggerMet => "the unenrollment triggers hold",
        Code.GoalAlreadyMet => "a goal is met already",
        Code.AnchorUnknown => "the anchor property has no value",
        Code.LoopGuard => "a loop guard stopped it",
        Code.LimitReached => "a limit is reached",
        Code.SenderNotConnected => "the inbox of the sequence's owner is not connected",
        Code.NoAddress => "the contact has no e-mail address",
        Code.OptedOut => "the contact has opted out",
        Code.Bounced => "an e-mail to the contact's address bounced",
        _ => "",
    };
}

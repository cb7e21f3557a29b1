namespace BackupEngine.Service.Auth;

/// <summary>Who makes a request.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ProjectId">The project whose things the user works with.</param>
/// <param name="IsAdmin">Whether administrators' operations are allowed.</param>
/// <param name="CrossesProjects">Whether other projects' things may be shown and changed by their ids.</param>
internal sealed record Caller(string UserId, string ProjectId, bool IsAdmin, bool CrossesProjects)
{
    /// <summary>Whether something of this owner exists for the caller. What nobody owns exists for administrators.</summary>
    public bool Sees(string ownerProjectId) =>
        CrossesProjects || ownerProjectId == ProjectId || (IsAdmin && ownerProjectId.Length == 0);
}

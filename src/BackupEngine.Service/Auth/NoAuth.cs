namespace BackupEngine.Service.Auth;

/// <summary>
/// Believes every token: <c>user:project</c>, and everyone is an administrator, for development. A token without a project takes it from the
/// address, because clients without authentication send a fixed word. Projects still do not see each other's things by their ids.
/// </summary>
internal sealed class NoAuth : IAuthenticator
{
    public ValueTask<Caller?> AuthenticateAsync(string? token, string? urlProject, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(token))
        {
            return new((Caller?)null);
        }

        int colon = token.IndexOf(':', StringComparison.Ordinal);
        string user = colon < 0 ? token : token[..colon];
        string project = colon < 0 || colon == token.Length - 1 ? urlProject ?? user : token[(colon + 1)..];
        return new(new Caller(user, project, IsAdmin: true, CrossesProjects: false));
    }
}

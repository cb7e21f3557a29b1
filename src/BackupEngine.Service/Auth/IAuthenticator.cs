namespace BackupEngine.Service.Auth;

/// <summary>Tells who a token belongs to.</summary>
internal interface IAuthenticator
{
    /// <summary>The caller of a token.</summary>
    /// <param name="token">The token; null when the request has none.</param>
    /// <param name="urlProject">The project in the request's address, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The caller, or null when the token belongs to nobody.</returns>
    ValueTask<Caller?> AuthenticateAsync(string? token, string? urlProject, CancellationToken cancellationToken);
}

namespace BackupEngine.Cli;

/// <summary>A command cannot be done, for a reason that the command line itself found.</summary>
internal sealed class CommandException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
    /// <param name="message">One line for a person: names the thing, and what to do.</param>
    /// <param name="innerException">What led to it.</param>
    public CommandException(int exitCode, string message, Exception? innerException = null)
        : base(message, innerException) => ExitCode = exitCode;

    public int ExitCode { get; }
}

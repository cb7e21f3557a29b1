namespace BackupEngine.Volumes;

/// <summary>A list of changed extents could not be understood; the message names the line and what is wrong with it.</summary>
public sealed class ChangedExtentsFormatException : BackupEngineException
{
    /// <summary>Makes the error.</summary>
    /// <param name="lineNumber">The line, from 1.</param>
    /// <param name="problem">What is wrong with it.</param>
    public ChangedExtentsFormatException(int lineNumber, string problem)
        : base($"line {lineNumber} of the changed extents: {problem}")
    {
        LineNumber = lineNumber;
    }

    /// <summary>The line, from 1.</summary>
    public int LineNumber { get; }
}
